"""What an operator sees of the running server: logs, and what it counts.

`redaction` says what nobody sees.
"""
