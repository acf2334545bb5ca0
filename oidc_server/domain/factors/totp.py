"""Authenticator apps (RFC 6238): their secrets are sealed, and each time step is good once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Instant, new_id, parse_id
from oidc_server.domain.factors.held import ENROLMENT_LIFETIME, INSERT, factors, hold
from oidc_server.domain.factors.strength import Factor
from oidc_server.security import totp
from oidc_server.security.encryption import Vault

_PURPOSE = "totp-secret"
_SLOW_CLOCK = 20
"""Steps in which a code is looked for, to tell somebody that their clock is wrong."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An app that is being set up: its secret is shown until it has proved a code."""

    id: str
    secret: str


_is_totp = factors.c.kind == Factor.TOTP.value
_open = and_(
    _is_totp,
    factors.c.id == bindparam("factor_id"),
    factors.c.user_id == bindparam("of_user"),
    factors.c.confirmed_at.is_(None),
    factors.c.created_at > bindparam("not_before", type_=Instant),
)
_FIND_OPEN = Statement(select(factors.c.id, factors.c.sealed_secret).where(_open))
_CONFIRM = Statement(
    update(factors)
    .where(_open)
    .values(
        confirmed_at=bindparam("now", type_=Instant),
        last_step=bindparam("step"),
        name=bindparam("shown"),
    )
)
_OF_USER = Statement(
    select(factors.c.id, factors.c.sealed_secret).where(
        _is_totp, factors.c.user_id == bindparam("of_user"), factors.c.confirmed_at.is_not(None)
    )
)
_CLAIM = Statement(
    update(factors)
    .where(
        factors.c.id == bindparam("factor_id"),
        or_(factors.c.last_step.is_(None), factors.c.last_step < bindparam("step")),
    )
    .values(last_step=bindparam("step"), last_used_at=bindparam("now", type_=Instant))
)


def normalized(code: str) -> str | None:
    """The digits of a typed code, or None if it cannot be one."""
    digits = "".join(code.split())
    return digits if len(digits) == totp.DIGITS and digits.isascii() and digits.isdigit() else None


def begin(db: Transaction, vault: Vault, user_id: str, now: datetime) -> str:
    """Set up an app for this person; returns the id. It counts once it is confirmed."""
    factor_id = new_id(now)
    db.later(
        INSERT,
        id=factor_id,
        user_id=user_id,
        kind=Factor.TOTP.value,
        name="",
        sealed_secret=vault.seal(_PURPOSE, totp.new_secret().encode(), _row(factor_id, user_id)),
        last_step=None,
        created_at=now,
        confirmed_at=None,
        last_used_at=None,
    )
    return factor_id


def find_enrolment(
    db: Transaction, vault: Vault, user_id: str, factor_id: str, now: datetime
) -> Enrolment | None:
    """The app that this person is setting up; None once it is confirmed, or too late."""
    parsed = parse_id(factor_id)
    row = parsed and db.first(
        _FIND_OPEN, factor_id=parsed, of_user=user_id, not_before=now - ENROLMENT_LIFETIME
    )
    return Enrolment(row.id, _secret(vault, row, user_id)) if row else None


def confirm(
    db: Transaction, user_id: str, enrolment: Enrolment, name: str, code: str, now: datetime
) -> bool:
    """Let the app count from now on, if `code` is its code of this moment. One caller wins."""
    step = totp.matching_step(enrolment.secret, code, now)
    if step is None:
        return False
    hold(db, user_id)
    confirmed = db.run(
        _CONFIRM,
        factor_id=enrolment.id,
        of_user=user_id,
        not_before=now - ENROLMENT_LIFETIME,
        now=now,
        step=step,
        shown=name,
    )
    return confirmed == 1


def minutes_off(enrolment: Enrolment, code: str, now: datetime) -> int | None:
    """By how many minutes the clock of a new app is wrong, if that is why its code was refused."""
    step = totp.matching_step(enrolment.secret, code, now, drift=_SLOW_CLOCK)
    if step is None:
        return None
    return max(1, round(abs(step - int(now.timestamp()) // totp.STEP) * totp.STEP / 60))


def redeem(db: Transaction, vault: Vault, user_id: str, code: str, now: datetime) -> bool:
    """Whether `code` is what an app of this person shows; each time step is accepted once.

    The claim is one conditional UPDATE, so of two at once one wins (RFC 6238 §5.2).
    """
    for row in db.all(_OF_USER, of_user=user_id):
        step = totp.matching_step(_secret(vault, row, user_id), code, now)
        if step is not None and db.run(_CLAIM, factor_id=row.id, step=step, now=now) == 1:
            return True
    return False


def _secret(vault: Vault, row: Any, user_id: str) -> str:
    return vault.open(_PURPOSE, row.sealed_secret, _row(row.id, user_id)).decode()


def _row(factor_id: str, user_id: str) -> bytes:
    """What a sealed secret is bound to: moved to another person or row, it opens no more."""
    return f"{factor_id}:{user_id}".encode()
