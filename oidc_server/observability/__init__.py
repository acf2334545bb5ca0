"""What an operator sees of the running server: logs today. `redaction` says what they never see."""
