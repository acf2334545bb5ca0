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
"""Its `jti` is remembered for so long, and a stolen one is worth no more."""
SKEW = timedelta(seconds=30)
"""So far ahead of ours the signer's clock may be: FAPI 2.0 wants at least 10 and at most 60."""
_MAX_JTI = 256


def has_begun(claims: Claims, now: datetime) -> bool:
    """Whether `iat` and `nbf`, where they are, are past."""
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
    """Whether it can be told apart from others, and is short enough to be remembered."""
    return isinstance(value, str) and 1 <= len(value) <= _MAX_JTI


def claim(db: Transaction, namespace: str, signer: str, claims: Claims) -> bool:
    """Use an assertion that is good otherwise; false if it was used before."""
    expires_at = datetime.fromtimestamp(claims["exp"], UTC) + 2 * SKEW
    usable_from = _usable_from(claims)
    return used_jtis.claim(
        db, namespace, signer, claims["jti"], usable_from=usable_from, expires_at=expires_at
    )


def was_used(db: Transaction, namespace: str, signer: str, claims: Claims) -> bool:
    """Whether this assertion is used up; for a look ahead of the request that will claim it."""
    usable_from = _usable_from(claims)
    return used_jtis.is_used(db, namespace, signer, claims["jti"], usable_from=usable_from)


def _usable_from(claims: Claims) -> datetime:
    """Since when `is_current` may have been true; without `iat` and `nbf`, up to an hour more."""
    begun = [claims[name] for name in ("iat", "nbf") if name in claims]
    seconds = max([claims["exp"] - MAX_LIFETIME.total_seconds(), *begun])
    return datetime.fromtimestamp(seconds, UTC) - SKEW
