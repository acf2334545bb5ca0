"""What assertions of clients and of issuers have in common (RFC 7523 §3): their times."""

import math
from datetime import datetime, timedelta

from oidc_server.security.jose import Claims

MAX_LIFETIME = timedelta(hours=1)
"""Its `jti` is remembered for so long, and a stolen one is worth no more."""
SKEW = timedelta(seconds=30)
"""So far ahead of ours the signer's clock may be: FAPI 2.0 wants at least 10 and at most 60."""
MAX_JTI = 256


def is_current(claims: Claims, now: datetime) -> bool:
    """Whether it has begun, and ends within an hour."""
    seconds, skew = now.timestamp(), SKEW.total_seconds()
    latest = seconds + MAX_LIFETIME.total_seconds() + skew
    begun = (claims[name] for name in ("iat", "nbf") if name in claims)
    return _is_between(claims.get("exp"), seconds, latest) and all(
        _is_between(value, -math.inf, seconds + skew) for value in begun
    )


def _is_between(value: object, after: float, until: float) -> bool:
    """Whether a NumericDate (RFC 7519 §2) lies after one moment and not after another."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return after < value <= until
    return False
