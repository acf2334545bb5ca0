"""Second factors that people hold: a row for each authenticator app, and one for mailed codes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    and_,
    bindparam,
    delete,
    not_,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
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
from oidc_server.domain.factors.strength import STRONG, Factor
from oidc_server.domain.passkeys import PasskeyRow, PasskeyUser

ENROLMENT_LIFETIME = timedelta(minutes=15)
"""Time to prove an authenticator app that was set up."""


class FactorRow(Base):
    """A factor. It counts once `confirmed_at` is set.

    `last_step` is the time step of the last code that was accepted: no earlier one is again.
    """

    __tablename__ = "factors"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        Index(
            "uq_factors_mailed",
            "user_id",
            unique=True,
            sqlite_where=text("kind = 'email_code'"),
            postgresql_where=text("kind = 'email_code'"),
        ),
        Index(
            "ix_factors_unconfirmed",
            "created_at",
            sqlite_where=text("confirmed_at IS NULL"),
            postgresql_where=text("confirmed_at IS NULL"),
        ),
    )


class RecoveryCode(Base):
    """One code of a set. Its digest is keyed, since 39 bits could be guessed from a dump."""

    __tablename__ = "recovery_codes"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class HeldFactor:
    """A factor as its owner sees it."""

    id: str
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


factors = table_of(FactorRow)
codes = table_of(RecoveryCode)
passkeys, people = table_of(PasskeyRow), table_of(PasskeyUser)

INSERT = Statement(insert_all(factors).on_conflict_do_nothing())
_confirmed = and_(factors.c.user_id == bindparam("of_user"), factors.c.confirmed_at.is_not(None))
_HELD = Statement(
    union_all(
        select(factors.c.kind).where(_confirmed),
        select(text(f"'{Factor.RECOVERY_CODE}'"))
        .select_from(codes)
        .where(codes.c.user_id == bindparam("of_user"), codes.c.used_at.is_(None)),
        select(text(f"'{Factor.PASSKEY}'"))
        .select_from(passkeys)
        .where(passkeys.c.user_id == bindparam("of_user")),
        select(text(f"'{Factor.ASKED_PASSKEY}'"))
        .select_from(passkeys.join(people, people.c.user_id == passkeys.c.user_id))
        .where(
            passkeys.c.user_id == bindparam("of_user"),
            or_(
                people.c.second_step,
                not_(and_(passkeys.c.user_verified, passkeys.c.discoverable)),
            ),
        ),
    )
)
_LIST = Statement(
    select(*[factors.c[name] for name in HeldFactor.__dataclass_fields__])
    .where(_confirmed)
    .order_by(factors.c.created_at, factors.c.id)
)
_REMOVE = Statement(
    delete(factors)
    .where(factors.c.id == bindparam("factor_id"), _confirmed)
    .returning(factors.c.kind, factors.c.name)
)
_REMOVE_FACTORS = Statement(delete(factors).where(factors.c.user_id == bindparam("of_user")))
_REMOVE_CODES = Statement(delete(codes).where(codes.c.user_id == bindparam("of_user")))
_REMOVE_NEWER_FACTORS = Statement(
    delete(factors).where(
        factors.c.user_id == bindparam("of_user"),
        or_(
            factors.c.created_at >= bindparam("since", type_=Instant),
            factors.c.confirmed_at >= bindparam("since", type_=Instant),
        ),
    )
)
_REMOVE_NEWER_CODES = Statement(
    delete(codes).where(
        codes.c.user_id == bindparam("of_user"),
        codes.c.created_at >= bindparam("since", type_=Instant),
    )
)
_PRUNE = Statement(
    delete_some(
        factors,
        and_(factors.c.confirmed_at.is_(None), factors.c.created_at < bindparam("long_ago")),
    )
)


def hold(db: Transaction, user_id: str) -> None:
    """Lock the factors of this person: nobody else adds or removes any until the transaction ends.

    Recovery codes are made with the first factor that they stand in for, and removed with the last:
    whether it is that one has to stay true until it is done.
    """
    db.lock(f"factors of {user_id}")


def held_by(db: Transaction, user_id: str) -> frozenset[Factor]:
    """The kinds of factor this person can prove now: one statement, whatever they are."""
    return frozenset(Factor(row[0]) for row in db.all(_HELD, of_user=user_id))


def list_factors(db: Transaction, user_id: str) -> list[HeldFactor]:
    """Every factor that counts, the oldest first; recovery codes are counted elsewhere."""
    return [HeldFactor(*row) for row in db.all(_LIST, of_user=user_id)]


def add_mailed_codes(db: Transaction, user_id: str, now: datetime) -> bool:
    """Let codes be mailed to this person's verified address; False if they were already."""
    return (
        db.run(
            INSERT,
            id=new_id(now),
            user_id=user_id,
            kind=Factor.EMAIL_CODE.value,
            name="",
            sealed_secret=None,
            last_step=None,
            created_at=now,
            confirmed_at=now,
            last_used_at=None,
        )
        == 1
    )


def remove(db: Transaction, user_id: str, factor_id: str) -> Any:
    """Remove one factor of a person; returns its `kind` and `name`, None if they have no such.

    Recovery codes go with the last factor that they stand in for.
    """
    hold(db, user_id)
    parsed = parse_id(factor_id)
    removed = parsed and db.first(_REMOVE, factor_id=parsed, of_user=user_id)
    if removed:
        remove_needless_codes(db, user_id)
    return removed or None


def remove_needless_codes(db: Transaction, user_id: str) -> None:
    """Remove the recovery codes of a person who has no factor that they stand in for."""
    hold(db, user_id)
    if held_by(db, user_id).isdisjoint(STRONG):
        db.later(_REMOVE_CODES, of_user=user_id)


def remove_all(db: Transaction, user_id: str) -> None:
    """Remove every factor of a person, who has lost them. Part of `endings.reset_factors`."""
    db.later(_REMOVE_FACTORS, of_user=user_id)
    db.later(_REMOVE_CODES, of_user=user_id)


def remove_newer(db: Transaction, user_id: str, since: datetime) -> None:
    """Remove what was set up since somebody else was in. It is a part of `endings`."""
    db.later(_REMOVE_NEWER_FACTORS, of_user=user_id, since=since)
    db.later(_REMOVE_NEWER_CODES, of_user=user_id, since=since)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete authenticator apps that were never confirmed."""
    return db.run(_PRUNE, long_ago=now - ENROLMENT_LIFETIME, batch=limit)
