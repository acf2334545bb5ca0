"""Refresh tokens: a chain per grant, of which the newest is alive (RFC 9700 §4.14.2).

A copy of one that is bound to its sender is worth nothing, so that one does not rotate: it stays
the same, and lives on with every use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain import clients, grants
from oidc_server.domain.base import Base, Identifier, Instant, delete_some, table_of
from oidc_server.domain.clients import ClientRow
from oidc_server.domain.grants import GRANTED_COLUMNS, Grant, Granted
from oidc_server.domain.user_sessions import UserSession
from oidc_server.domain.users import User
from oidc_server.security import opaque_tokens


class RefreshToken(Base):
    """One refresh token; marked when spent, not deleted: a gap would reveal no replay.

    `used_at` is of those that do not rotate: the others show by their successor that they were.
    """

    __tablename__ = "refresh_tokens"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    grant_id: Mapped[str] = mapped_column(
        Identifier, ForeignKey("grants.grant_id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    rotated_at: Mapped[datetime | None] = mapped_column(Instant)
    dpop_jkt: Mapped[str | None] = mapped_column(Text)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token a client holds, as the database knows it."""

    token: str
    digest: bytes
    expires_at: datetime
    rotated_at: datetime | None
    dpop_jkt: str | None
    """The key that its holder must prove (RFC 9449 §5); that of a public client only."""
    session_ended: bool
    grant: Granted

    def holds(self, now: datetime) -> bool:
        """Whether neither it, nor its grant, nor the session it depends on has ended."""
        session_ok = self.grant.outlives_session or not self.session_ended
        return now < self.expires_at and self.grant.holds(now) and session_ok


@dataclass(frozen=True, slots=True)
class Rotated:
    """The token was spent; this is the one that follows it."""

    token: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """The token was spent before and this is no honest retry: the grant has been revoked."""


_tokens = table_of(RefreshToken)
_spent = _tokens.alias("spent")
_grants = table_of(Grant)
_users = table_of(User)
_clients = table_of(ClientRow)
_sessions = table_of(UserSession)

_names = [column.name for column in _tokens.columns]
_values = [bindparam(column.name, type_=column.type) for column in _tokens.columns]
_INSERT = Statement(
    insert(_tokens).from_select(
        _names,
        select(*_values)
        .where(
            _grants.c.grant_id == bindparam("grant_id"),
            _grants.c.redeemed_at.is_(None),
            _grants.c.revoked_at.is_(None),
        )
        .with_for_update(),
    )
)
_INSERT_SUCCESSOR = Statement(
    insert(_tokens)
    .from_select(
        _names,
        select(*_values)
        .where(_spent.c.digest == bindparam("spent"), _spent.c.rotated_at.is_(None))
        .with_for_update(),
    )
    .on_conflict_do_nothing()
)
_FIND = Statement(
    select(
        *GRANTED_COLUMNS,
        _tokens.c.expires_at.label("token_expires_at"),
        _tokens.c.rotated_at,
        _tokens.c.dpop_jkt.label("token_dpop_jkt"),
        _sessions.c.ended_at,
        _sessions.c.expires_at.label("session_expires_at"),
        _sessions.c.idle_expires_at,
        clients.LIVE_REVISION,
    )
    .select_from(_tokens)
    .join(_grants, _grants.c.grant_id == _tokens.c.grant_id)
    .join(_users, _users.c.id == _grants.c.user_id)
    .join(_clients, _clients.c.client_id == _grants.c.client_id)
    .outerjoin(_sessions, _sessions.c.id == _grants.c.session_id)
    .where(_tokens.c.digest == bindparam("presented"))
)
_SPEND = Statement(
    update(_tokens)
    .where(_tokens.c.digest == bindparam("spent"), _tokens.c.rotated_at.is_(None))
    .values(rotated_at=bindparam("now"))
)
_EXTEND = Statement(
    update(_tokens)
    .where(_tokens.c.digest == bindparam("presented"), _tokens.c.rotated_at.is_(None))
    .values(expires_at=bindparam("until"), used_at=bindparam("now"))
)
_ROTATED_AT = Statement(select(_tokens.c.rotated_at).where(_tokens.c.digest == bindparam("digest")))
_PRUNE = Statement(delete_some(_tokens, _tokens.c.expires_at < bindparam("long_ago")))
_KEPT_AFTER_EXPIRY = timedelta(days=1)


def mint(
    db: Transaction,
    grant: Granted,
    now: datetime,
    idle_lifetime: timedelta,
    dpop_jkt: str | None = None,
) -> str:
    """The first refresh token of a grant, bound to a key or only to its client.

    It is void if redeeming the code of the grant, which comes afterwards, fails.
    """
    token = opaque_tokens.mint()
    db.later(_INSERT, **_row(token, grant, now, idle_lifetime, dpop_jkt))
    return token


def find(db: Transaction, token: str, now: datetime) -> Presented | None:
    """The token with its grant, spent or not; its client is primed. Reading claims nothing."""
    digest = opaque_tokens.digest(token)
    row = db.first(_FIND, presented=digest)
    if row is None:
        return None
    granted = Granted(*row[: len(GRANTED_COLUMNS)])
    clients.prime(db, granted.client_id, row.live_revision)
    session_ended = granted.session_id is not None and (
        row.session_expires_at is None
        or row.ended_at is not None
        or now >= min(row.session_expires_at, row.idle_expires_at)
    )
    return Presented(
        token,
        digest,
        row.token_expires_at,
        row.rotated_at,
        row.token_dpop_jkt,
        session_ended,
        granted,
    )


def extend(db: Transaction, presented: Presented, now: datetime, idle_lifetime: timedelta) -> bool:
    """Prolong a token that does not rotate; False if it was spent meanwhile.

    It is the last write of its transaction.
    """
    until = _end(presented.grant, now, idle_lifetime)
    return db.conclude(_EXTEND, presented=presented.digest, until=until, now=now) == 1


def rotate(
    db: Transaction,
    presented: Presented,
    now: datetime,
    *,
    keys: Sequence[bytes],
    grace: timedelta,
    idle_lifetime: timedelta,
    dpop_jkt: str | None = None,
) -> Rotated | Replayed:
    """Spend a refresh token once (RFC 9700 §4.14.2): one conditional UPDATE, one winner.

    The loser of a race, and a retry within `grace` whose successor is still unused, get the same
    successor: it is a MAC of the token under `keys[0]`, so only digests are stored. Any other
    second use means that a copy exists, so the grant is revoked and everything from it dies (see
    ADR 0007). The successor may be bound to a key that its predecessor was not. If it succeeds it
    is the last write of its transaction.
    """
    if presented.rotated_at is None:
        successor = opaque_tokens.successor(keys[0], presented.token)
        row = _row(successor, presented.grant, now, idle_lifetime, dpop_jkt)
        db.later(_INSERT_SUCCESSOR, spent=presented.digest, **row)
        if db.conclude(_SPEND, spent=presented.digest, now=now) == 1:
            return Rotated(successor)
    spent = db.first(_ROTATED_AT, digest=presented.digest)
    if grace and spent is not None and abs(now - spent.rotated_at) <= grace:
        for key in keys:
            successor = opaque_tokens.successor(key, presented.token)
            following = db.first(_ROTATED_AT, digest=opaque_tokens.digest(successor))
            if following is not None and following.rotated_at is None:
                return Rotated(successor)
    grants.revoke(db, presented.grant.grant_id, now)
    return Replayed()


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete tokens a day after they expired; until then a replay is seen."""
    return db.run(_PRUNE, long_ago=now - _KEPT_AFTER_EXPIRY, batch=limit)


def _row(
    token: str, grant: Granted, now: datetime, idle_lifetime: timedelta, dpop_jkt: str | None
) -> dict[str, Any]:
    return {
        "digest": opaque_tokens.digest(token),
        "grant_id": grant.grant_id,
        "created_at": now,
        "expires_at": _end(grant, now, idle_lifetime),
        "rotated_at": None,
        "dpop_jkt": dpop_jkt,
        "used_at": None,
    }


def _end(grant: Granted, now: datetime, idle_lifetime: timedelta) -> datetime:
    return min(now + idle_lifetime, grant.expires_at)
