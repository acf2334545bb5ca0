"""Which claims a scope gives (Core §5.4)."""

from typing import Any

from oidc_server.domain.grants import TokenState

SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "profile": ("name", "preferred_username", "updated_at"),
    "email": ("email", "email_verified"),
}
CLAIMS_SUPPORTED = (
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "at_hash",
    "sid",
    *(claim for claims in SCOPE_CLAIMS.values() for claim in claims),
)


def userinfo(state: TokenState, scopes: frozenset[str]) -> dict[str, Any]:
    """What userinfo tells (Core §5.3.2). A claim without a value is left out, never null."""
    values: dict[str, Any] = {
        "name": state.name,
        "preferred_username": state.username,
        "updated_at": int(state.updated_at.timestamp()) if state.updated_at else None,
        "email": state.email,
        "email_verified": state.email_verified if state.email else None,
    }
    told = {"sub": state.sub}
    for scope in SCOPE_CLAIMS.keys() & scopes:
        for claim in SCOPE_CLAIMS[scope]:
            if values[claim] is not None:
                told[claim] = values[claim]
    return told
