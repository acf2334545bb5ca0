"""What the JWTs that others sign have in common: their times, and a `jti` that is used once.

Client assertions, assertions of issuers (RFC 7523 §3) and request objects (RFC 9101) begin here;
DPoP proofs, which live for a minute, have times of their own.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

from oidc_server.database import Transaction
from oidc_server.domain import used_jtis
from oidc_server.security.jose import Claims

MAX_LIFETIME = timedelta(hours=1)
"""How long a `jti` is stored, and a stolen assertion can be used, at most."""
SKEW = timedelta(seconds=30)
"""How far the signer's clock may be ahead of ours; FAPI 2.0 wants 10 to 60 seconds."""
_MAX_JTI = 256


def has_begun(claims: Claims, now: datetime) -> bool:
    """Whether `iat` and `nbf`, if present, are in the past."""
    until = (now + SKEW).timestamp()
    return all(
        is_between(claims[name], -math.inf, until) for name in ("iat", "nbf") if name in claims
    )


def is_current(claims: Claims, now: datetime) -> bool:
    """Whether an assertion has begun, and ends within an hour."""
    latest = (now + MAX_LIFETIME + SKEW).timestamp()
    return is_between(claims.get("exp"), now.timestamp(), latest) and has_begun(claims, now)


def is_between(value: object, after: float, until: float) -> bool:
    """Whether a NumericDate (RFC 7519 §2) lies after one moment and not after another."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return after < value <= until
    return False


def is_jti(value: object) -> TypeGuard[str]:
    """Whether it is a text, not empty, and short enough to be stored."""
    return isinstance(value, str) and 1 <= len(value) <= _MAX_JTI


def claim(db: Transaction, namespace: str, signer: str, claims: Claims) -> bool:
    """Mark an otherwise valid assertion as used; False if it was used before."""
    expires_at = datetime.fromtimestamp(claims["exp"], UTC) + 2 * SKEW
    usable_from = _usable_from(claims)
    return used_jtis.claim(
        db, namespace, signer, claims["jti"], usable_from=usable_from, expires_at=expires_at
    )


def was_used(db: Transaction, namespace: str, signer: str, claims: Claims) -> bool:
    """Whether this assertion was used before; for a check before the request that claims it."""
    usable_from = _usable_from(claims)
    return used_jtis.is_used(db, namespace, signer, claims["jti"], usable_from=usable_from)


def _usable_from(claims: Claims) -> datetime:
    """The earliest time at which `is_current` can have been true: at most an hour before `exp`."""
    begun = [claims[name] for name in ("iat", "nbf") if name in claims]
    seconds = max([claims["exp"] - MAX_LIFETIME.total_seconds(), *begun])
    return datetime.fromtimestamp(seconds, UTC) - SKEW
