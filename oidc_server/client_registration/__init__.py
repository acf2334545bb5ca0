"""Clients that register themselves (RFC 7591), and look after their registration (RFC 7592).

`endpoint.py` is where they begin and `configuration.py` where they come back to; for both,
`self_description.py` says what they may claim, and `information.py` answers.
"""
