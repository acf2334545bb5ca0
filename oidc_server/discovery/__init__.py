"""Discovery: how a client finds the endpoints (RFC 8414) and the keys (RFC 7517)."""
