"""Logs, metrics, traces and error reports. `redaction` keeps secrets out of all of them."""
