"""An OAuth 2 and OpenID Connect authorization server."""

__version__ = "0.1.0"
