"""Devices without a browser (RFC 8628): they show a code, and somebody types it here.

Read `authorization.py` (a device asks), then `verification.py` (a person types the code) and
`confirmation.py` (and allows it). `token/device_code.py` is where the device learns of it.
"""
