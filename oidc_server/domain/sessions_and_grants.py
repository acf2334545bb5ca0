"""What is open on the server: sessions of browsers and grants of clients, in pages, newest first.

Ids count up with time, so the id of the last row is where the next page begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Select, bindparam, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Instant, table_of
from oidc_server.domain.grants import Grant
from oidc_server.domain.user_sessions import UserSession

_sessions = table_of(UserSession)
_grants = table_of(Grant)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A browser that is signed in."""

    id: str
    user_id: str
    amr: frozenset[str]
    acr: str | None
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """What a client may do for a person until it ends."""

    grant_id: str
    user_id: str
    client_id: str
    session_id: str | None
    scopes: frozenset[str]
    resources: frozenset[str]
    auth_time: datetime
    created_at: datetime
    expires_at: datetime


_now = bindparam("now", type_=Instant)
_session = select(*[_sessions.c[field.name] for field in fields(OpenSession)]).where(
    _sessions.c.ended_at.is_(None), _sessions.c.idle_expires_at > _now
)
_grant = select(*[_grants.c[field.name] for field in fields(LiveGrant)]).where(
    _grants.c.revoked_at.is_(None), _grants.c.expires_at > _now
)
_FIND_SESSION = Statement(_session.where(_sessions.c.id == bindparam("of_id")))
_FIND_GRANT = Statement(_grant.where(_grants.c.grant_id == bindparam("of_id")))


def find_session(db: Transaction, session_id: str, now: datetime) -> OpenSession | None:
    """The session of this id, if it goes on."""
    row = db.first(_FIND_SESSION, of_id=session_id, now=now)
    return OpenSession(*row) if row else None


def find_grant(db: Transaction, grant_id: str, now: datetime) -> LiveGrant | None:
    """The grant of this id, if it holds."""
    row = db.first(_FIND_GRANT, of_id=grant_id, now=now)
    return LiveGrant(*row) if row else None


def sessions(
    db: Transaction,
    now: datetime,
    *,
    limit: int,
    user_id: str | None = None,
    before: str | None = None,
) -> list[OpenSession]:
    """At most `limit` sessions that go on, of a person or of everybody."""
    rows = _rows(db, _session, _sessions.c.id, now, limit, user_id=user_id, before=before)
    return [OpenSession(*row) for row in rows]


def grants(
    db: Transaction,
    now: datetime,
    *,
    limit: int,
    user_id: str | None = None,
    client_id: str | None = None,
    before: str | None = None,
) -> list[LiveGrant]:
    """At most `limit` grants: of a person, of a client, of a person to a client, or all."""
    rows = _rows(
        db,
        _grant,
        _grants.c.grant_id,
        now,
        limit,
        user_id=user_id,
        client_id=client_id,
        before=before,
    )
    return [LiveGrant(*row) for row in rows]


def _rows(
    db: Transaction, chosen: Select[Any], key: Column[Any], now: datetime, limit: int, **named: Any
) -> Sequence[Any]:
    given = {name: value for name, value in named.items() if value is not None}
    return db.all(_page(chosen, key, frozenset(given)), now=now, how_many=limit, **given)


@lru_cache(maxsize=16)
def _page(chosen: Select[Any], key: Column[Any], given: frozenset[str]) -> Statement:
    columns = key.table.columns
    page = chosen.where(
        *(columns[name] == bindparam(name) for name in sorted(given & {"user_id", "client_id"}))
    )
    if "before" in given:
        page = page.where(key < bindparam("before"))
    return Statement(page.order_by(key.desc()).limit(bindparam("how_many")))
