"""Browsers that are spared the second step for a while: their owner said so, and can undo it.

A browser keeps one random mark for all who trust it; a row ties it to one of them. Whenever trust
is given the mark is another: whoever put the old one there, or copied it, holds nothing. Whatever
ends a person's sessions, another password above all, ends the trust too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ForeignKey,
    LargeBinary,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.audit import Origin
from oidc_server.domain.base import (
    Base,
    Identifier,
    Instant,
    delete_some,
    insert_all,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.security import opaque_tokens


class TrustedDeviceRow(Base):
    """One person trusts one browser."""

    __tablename__ = "trusted_devices"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    address: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)

    __table_args__ = (UniqueConstraint("user_id", "digest"),)


@dataclass(frozen=True, slots=True)
class TrustedDevice:
    """A browser as its owner sees it."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


_devices = table_of(TrustedDeviceRow)
_new = insert_all(_devices)
_TRUST = Statement(
    _new.on_conflict_do_update(
        index_elements=[_devices.c.user_id, _devices.c.digest],
        set_={name: _new.excluded[name] for name in ("last_used_at", "expires_at")},
    )
)
_MARK_ANEW = Statement(
    update(_devices)
    .where(_devices.c.digest == bindparam("presented"))
    .values(digest=bindparam("kept"))
)
_USE = Statement(
    update(_devices)
    .where(
        _devices.c.user_id == bindparam("of_user"),
        _devices.c.digest == bindparam("presented"),
        _devices.c.expires_at > bindparam("now", type_=Instant),
    )
    .values(last_used_at=bindparam("now", type_=Instant))
)
_IS_TRUSTED = Statement(
    select(_devices.c.id).where(
        _devices.c.user_id == bindparam("of_user"),
        _devices.c.digest == bindparam("presented"),
        _devices.c.expires_at > bindparam("now", type_=Instant),
    )
)
_LIST = Statement(
    select(*[_devices.c[name] for name in TrustedDevice.__dataclass_fields__])
    .where(
        _devices.c.user_id == bindparam("of_user"),
        _devices.c.expires_at > bindparam("now", type_=Instant),
    )
    .order_by(_devices.c.last_used_at.desc())
)
_WITHDRAW = Statement(
    delete(_devices).where(
        _devices.c.id == bindparam("device_id"), _devices.c.user_id == bindparam("of_user")
    )
)
_WITHDRAW_ALL = Statement(delete(_devices).where(_devices.c.user_id == bindparam("of_user")))
_PRUNE = Statement(delete_some(_devices, _devices.c.expires_at < bindparam("now")))


def trust(
    db: Transaction,
    user_id: str,
    mark: str | None,
    *,
    origin: Origin,
    now: datetime,
    lifetime: timedelta,
) -> str:
    """Trust a browser for so long; returns the mark that it is to keep from now on.

    `mark` is what it had: whoever else trusts this browser goes on under the new one.
    """
    kept = opaque_tokens.mint()
    if mark is not None:
        db.later(_MARK_ANEW, presented=opaque_tokens.digest(mark), kept=opaque_tokens.digest(kept))
    db.later(
        _TRUST,
        id=new_id(now),
        user_id=user_id,
        digest=opaque_tokens.digest(kept),
        address=origin.address,
        user_agent=origin.user_agent[:400],
        created_at=now,
        last_used_at=now,
        expires_at=now + lifetime,
    )
    return kept


def is_trusted(db: Transaction, user_id: str, mark: str, now: datetime) -> bool:
    """Whether this person trusts the browser with this mark."""
    presented = opaque_tokens.digest(mark)
    return db.first(_IS_TRUSTED, of_user=user_id, presented=presented, now=now) is not None


def use(db: Transaction, user_id: str, mark: str, now: datetime) -> bool:
    """Whether this person trusts the browser with this mark; notes that it was used."""
    return db.run(_USE, of_user=user_id, presented=opaque_tokens.digest(mark), now=now) == 1


def list_devices(db: Transaction, user_id: str, now: datetime) -> list[TrustedDevice]:
    """The browsers that this person trusts, the one used last first."""
    return [TrustedDevice(*row) for row in db.all(_LIST, of_user=user_id, now=now)]


def withdraw(db: Transaction, user_id: str, device_id: str) -> bool:
    """Trust a browser no more; False if it was not theirs."""
    parsed = parse_id(device_id)
    return parsed is not None and db.run(_WITHDRAW, device_id=parsed, of_user=user_id) == 1


def withdraw_of_user(db: Transaction, user_id: str) -> None:
    """Trust none of them any more."""
    db.later(_WITHDRAW_ALL, of_user=user_id)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete what has expired; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)
