"""Clients that register themselves (RFC 7591), and look after their registration (RFC 7592)."""
