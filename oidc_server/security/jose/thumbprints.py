"""The name of a public key (RFC 7638): the same for everybody who has the key."""

from collections.abc import Mapping
from typing import Any

import orjson

from oidc_server.security import base64url

_REQUIRED = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
"""The members that count, in their order (RFC 7638 §3.2, RFC 8037 §2)."""


def thumbprint(public_jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a key that was imported before, in base64url (RFC 7638 §3)."""
    members = {name: public_jwk[name] for name in _REQUIRED[public_jwk["kty"]]}
    return base64url.sha256(orjson.dumps(members))
