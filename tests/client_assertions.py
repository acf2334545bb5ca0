"""A client that signs: its key, and the assertions it makes (RFC 7523 §2.2)."""

import secrets
from datetime import datetime
from typing import Any

import jwt

from oidc_server.security.jose import SigningKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEYS = {alg: SigningKey.generate(alg) for alg in ("RS256", "PS256", "ES256", "EdDSA")}
"""Keys for whoever needs some: making those for RSA takes long, and every worker makes its own."""


def key_set(*keys: SigningKey) -> dict[str, Any]:
    """What a client registers or publishes."""
    return {"keys": [key.public_jwk() for key in keys]}


def claims_for(client_id: str, audience: str, now: datetime, **changes: Any) -> dict[str, Any]:
    """The claims of a good assertion; a change to None leaves one out."""
    seconds = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + 60,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def sign(key: SigningKey | str, claims: dict[str, Any], **header: Any) -> str:
    """A JWT by a key, or by HS256 with a secret."""
    if isinstance(key, str):
        return jwt.encode(claims, key, algorithm="HS256", headers=header or None)
    return key.sign(claims, header.get("typ", "JWT"))


def assertion_fields(assertion: str, **fields: str) -> dict[str, str]:
    """The parameters that carry it."""
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **fields,
    }
