"""Browser sessions: one row per signed-in browser, found by the digest of its cookie."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    and_,
    bindparam,
    case,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain.audit import Origin
from oidc_server.domain.base import (
    Base,
    Identifier,
    Instant,
    WordSet,
    delete_some,
    insert_all,
    new_id,
    table_of,
)
from oidc_server.domain.users import User
from oidc_server.security import opaque_tokens

MOST_COUNTED = 1_000_000
"""Sessions that are counted at most when somebody asks how many there are."""
_TOUCH_EVERY = timedelta(minutes=1)
_GOES_ON = text("ended_at IS NULL")


class UserSession(Base):
    """A signed-in browser. `sid` is what clients see of it (Back-Channel Logout §2.1)."""

    __tablename__ = "user_sessions"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sid: Mapped[str] = mapped_column(Text, unique=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"))
    amr: Mapped[frozenset[str]] = mapped_column(WordSet)
    acr: Mapped[str | None] = mapped_column(Text)
    auth_time: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    idle_expires_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    address: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_user_sessions_not_ended",
            "idle_expires_at",
            sqlite_where=_GOES_ON,
            postgresql_where=_GOES_ON,
        ),
        # In the order of lists; ids count up with time.
        Index(
            "ix_user_sessions_id_not_ended", "id", sqlite_where=_GOES_ON, postgresql_where=_GOES_ON
        ),
        Index(
            "ix_user_sessions_user_id_id_not_ended",
            "user_id",
            "id",
            sqlite_where=_GOES_ON,
            postgresql_where=_GOES_ON,
        ),
    )


@dataclass(frozen=True, slots=True)
class SessionLifetimes:
    """How long a session lives unused, and how long at most."""

    idle: timedelta
    absolute: timedelta

    @property
    def shorter(self) -> timedelta:
        """How long it lives if nobody touches it."""
        return min(self.idle, self.absolute)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that holds at this moment, with what every page needs to know of its user."""

    id: str
    sid: str
    user_id: str
    username: str
    name: str | None
    locale: str | None
    amr: frozenset[str]
    acr: str | None
    auth_time: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionOfUser:
    """A session as its owner is shown it: where it began, and when it was used last."""

    id: str
    address: str
    user_agent: str
    amr: frozenset[str]
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


_sessions = table_of(UserSession)
_users = table_of(User)

_INSERT = Statement(insert_all(_sessions))
LIVE_COLUMNS = (
    _sessions.c.id,
    _sessions.c.sid,
    _sessions.c.user_id,
    _users.c.username,
    _users.c.name,
    _users.c.locale,
    _sessions.c.amr,
    _sessions.c.acr,
    _sessions.c.auth_time,
    _sessions.c.last_seen_at,
    _sessions.c.expires_at,
)
IS_LIVE = (
    _sessions.c.digest == bindparam("presented"),
    _sessions.c.ended_at.is_(None),
    _sessions.c.idle_expires_at > bindparam("now", type_=Instant),
    _sessions.c.expires_at > bindparam("now", type_=Instant),
)
"""The conditions on a session for `LIVE_COLUMNS`. Its user has to be enabled, too."""
_FIND = Statement(
    select(*LIVE_COLUMNS)
    .join(_users, _users.c.id == _sessions.c.user_id)
    .where(*IS_LIVE, _users.c.disabled_at.is_(None))
)
_some_live = (
    select(_sessions.c.id)
    .where(
        _sessions.c.ended_at.is_(None),
        _sessions.c.idle_expires_at > bindparam("now", type_=Instant),
    )
    .limit(MOST_COUNTED)
    .subquery()
)
_COUNT_LIVE = Statement(select(func.count().label("rows")).select_from(_some_live))
_idle_until = bindparam("idle_until", type_=Instant)
_TOUCH = Statement(
    update(_sessions)
    .where(_sessions.c.id == bindparam("session_id"))
    .values(
        last_seen_at=bindparam("now"),
        # The end in the row, not the one that was read: it may have been renewed since.
        idle_expires_at=case(
            (_sessions.c.expires_at < _idle_until, _sessions.c.expires_at), else_=_idle_until
        ),
    )
)
_RENEW = Statement(
    update(_sessions)
    .where(_sessions.c.id == bindparam("session_id"))
    .values(
        digest=bindparam("digest"),
        amr=bindparam("amr"),
        acr=bindparam("acr"),
        auth_time=bindparam("proven_at"),
        last_seen_at=bindparam("now"),
        idle_expires_at=bindparam("idle_until"),
        expires_at=bindparam("until"),
    )
)
_ROTATE = Statement(
    update(_sessions)
    .where(_sessions.c.id == bindparam("session_id"))
    .values(digest=bindparam("digest"))
)
_HOLD = Statement(
    select(_sessions.c.id)
    .where(_sessions.c.id == bindparam("session_id"), _sessions.c.ended_at.is_(None))
    .with_for_update(read=True)
)
_END = Statement(
    update(_sessions)
    .where(and_(_sessions.c.id == bindparam("session_id"), _sessions.c.ended_at.is_(None)))
    .values(ended_at=bindparam("now"))
    .returning(_sessions.c.sid, _sessions.c.user_id)
)
_expired = select(_sessions.c.id).where(
    _sessions.c.ended_at.is_(None), _sessions.c.idle_expires_at <= bindparam("now")
)
_EXPIRED = Statement(_expired.order_by(_sessions.c.idle_expires_at).limit(bindparam("batch")))
_HOLD_EXPIRED = Statement(
    _expired.where(_sessions.c.id == bindparam("session_id")).with_for_update()
)
_PRUNE = Statement(delete_some(_sessions, _sessions.c.expires_at < bindparam("long_ago")))
_OF_USER = Statement(
    select(*[_sessions.c[name] for name in SessionOfUser.__dataclass_fields__])
    .where(
        _sessions.c.user_id == bindparam("user_id"),
        _sessions.c.ended_at.is_(None),
        _sessions.c.idle_expires_at > bindparam("now", type_=Instant),
        _sessions.c.expires_at > bindparam("now", type_=Instant),
    )
    .order_by(_sessions.c.last_seen_at.desc(), _sessions.c.id.desc())
)
_SURPLUS = Statement(
    select(_sessions.c.id)
    .where(_sessions.c.user_id == bindparam("user_id"), _sessions.c.ended_at.is_(None))
    .order_by(_sessions.c.last_seen_at.desc(), _sessions.c.id.desc())
    .offset(bindparam("most"))
    .limit(bindparam("batch"))
)
_LIVE_OF_USER = Statement(
    select(_sessions.c.id).where(
        and_(_sessions.c.user_id == bindparam("user_id"), _sessions.c.ended_at.is_(None))
    )
)


def live_count(db: Transaction, now: datetime) -> int:
    """How many sessions are in use. The job that ends them sees to those that are too old."""
    return int(db.first(_COUNT_LIVE, now=now).rows)


def start(
    db: Transaction,
    user_id: str,
    *,
    amr: frozenset[str],
    acr: str | None,
    now: datetime,
    lifetimes: SessionLifetimes,
    origin: Origin,
    auth_time: datetime | None = None,
) -> str:
    """Sign a browser in; returns the handle for its cookie, which is stored as a digest only.

    `auth_time` is when the person proved themselves, if that was not just now but elsewhere.
    """
    handle = opaque_tokens.mint()
    db.later(
        _INSERT,
        id=new_id(now),
        digest=opaque_tokens.digest(handle),
        sid=opaque_tokens.mint(16),
        user_id=user_id,
        amr=amr,
        acr=acr,
        auth_time=auth_time or now,
        created_at=now,
        last_seen_at=now,
        idle_expires_at=now + lifetimes.shorter,
        expires_at=now + lifetimes.absolute,
        ended_at=None,
        address=origin.address,
        user_agent=origin.user_agent[:400],
    )
    return handle


def find(db: Transaction, handle: str, now: datetime) -> LiveSession | None:
    """The session of this cookie, if it has neither ended nor expired and its user is enabled."""
    row = db.first(_FIND, presented=opaque_tokens.digest(handle), now=now)
    return LiveSession(*row) if row else None


def prime(db: Transaction, handle: str, now: datetime, values: Sequence[Any] | None) -> None:
    """Spare `find` its read, once: another statement has read `LIVE_COLUMNS`, or found nothing."""
    db.prime(_FIND, values, presented=opaque_tokens.digest(handle), now=now)


def touch(db: Transaction, session: LiveSession, now: datetime, idle_lifetime: timedelta) -> None:
    """Push the idle limit out, at most once a minute; never past the absolute one."""
    if now - session.last_seen_at >= _TOUCH_EVERY:
        db.later(_TOUCH, session_id=session.id, now=now, idle_until=now + idle_lifetime)


def hold(db: Transaction, session_id: str) -> None:
    """Lock the session: ending it waits for this transaction, and then sees what that has added.

    Raises `ConflictError` if it has just been ended, so that the request runs again without it.
    """
    if db.first(_HOLD, session_id=session_id) is None:
        raise ConflictError("the session has ended")


def renew(
    db: Transaction,
    session: LiveSession,
    *,
    amr: frozenset[str],
    acr: str | None,
    now: datetime,
    lifetimes: SessionLifetimes,
    keep_end: bool = False,
    auth_time: datetime | None = None,
) -> str:
    """The same person proved themselves again: a new handle and `auth_time`, the same `sid`.

    What hangs on the session (grants without offline access) goes on; the old cookie is dead. With
    `keep_end` its absolute end stays where it is: only a whole sign-in begins anew.
    """
    handle = opaque_tokens.mint()
    until = session.expires_at if keep_end else now + lifetimes.absolute
    db.later(
        _RENEW,
        session_id=session.id,
        digest=opaque_tokens.digest(handle),
        amr=amr,
        acr=acr,
        now=now,
        proven_at=auth_time or now,
        idle_until=min(now + lifetimes.idle, until),
        until=until,
    )
    return handle


def rotate(db: Transaction, session: LiveSession) -> str:
    """A new handle for the same session: the old cookie is dead, nothing else is new.

    What was proven stays as old as it is: a password given once more is no second factor.
    """
    handle = opaque_tokens.mint()
    db.later(_ROTATE, session_id=session.id, digest=opaque_tokens.digest(handle))
    return handle


def mark_ended(db: Transaction, session_id: str, now: datetime) -> Any:
    """Close the row; returns its `sid` and `user_id`, or None if it was closed before.

    One caller wins. It is a part of `endings.end_session`, which everybody else calls.
    """
    return db.first(_END, session_id=session_id, now=now)


def live_of_user(db: Transaction, user_id: str) -> list[str]:
    """The ids of a person's sessions that have not ended."""
    return [row.id for row in db.all(_LIVE_OF_USER, user_id=user_id)]


def surplus_of_user(db: Transaction, user_id: str, most: int) -> list[str]:
    """The ids of a person's sessions beyond the `most` that were used last."""
    return [row.id for row in db.all(_SURPLUS, user_id=user_id, most=most, batch=most)]


def list_of_user(db: Transaction, user_id: str, now: datetime) -> list[SessionOfUser]:
    """A person's sessions that hold, the one used last first."""
    return [SessionOfUser(*row) for row in db.all(_OF_USER, user_id=user_id, now=now)]


def expired(db: Transaction, now: datetime, limit: int) -> list[str]:
    """The ids of sessions whose time is over and that nobody has ended."""
    return [row.id for row in db.all(_EXPIRED, now=now, batch=limit)]


def hold_expired(db: Transaction, session_id: str, now: datetime) -> bool:
    """Whether the time of this session still is over; nobody renews it from then on."""
    return db.first(_HOLD_EXPIRED, session_id=session_id, now=now) is not None


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete sessions a day after their absolute end."""
    return db.run(_PRUNE, long_ago=now - timedelta(days=1), batch=limit)
