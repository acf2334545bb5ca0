"""One-time passwords of authenticator apps (RFC 6238): the one home of pyotp."""

import hmac
from datetime import datetime
from typing import Any

STEP = 30
"""Seconds for which a code is shown."""
DIGITS = 6


def new_secret() -> str:
    """160 random bits in base32, as apps want them (RFC 4226 §4 R6)."""
    secret: str = _pyotp().random_base32(32)
    return secret


def matching_step(secret: str, code: str, now: datetime, drift: int = 1) -> int | None:
    """The time step that `code` belongs to, at most `drift` steps away from now (RFC 6238 §5.2).

    The nearest one if there are several. Every step is computed, whichever matches.
    """
    generator = _pyotp().HOTP(secret, digits=DIGITS)
    current = int(now.timestamp()) // STEP
    steps = sorted(range(current - drift, current + drift + 1), key=lambda at: abs(at - current))
    found = [at for at in steps if hmac.compare_digest(generator.at(at).encode(), code.encode())]
    return found[0] if found else None


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """The content of the QR code that an app scans."""
    uri: str = (
        _pyotp()
        .TOTP(secret, digits=DIGITS, interval=STEP)
        .provisioning_uri(name=account, issuer_name=issuer)
    )
    return uri


def _pyotp() -> Any:
    import pyotp  # noqa: PLC0415 - few requests need it, and every process would carry it

    return pyotp
