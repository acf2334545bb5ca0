"""Sessions for tests of what ends them."""

from datetime import timedelta

from oidc_server.database import Database, Transaction
from oidc_server.domain import user_sessions
from oidc_server.domain.audit import Origin
from oidc_server.domain.user_sessions import SessionLifetimes
from tests.domain.conftest import NOW


def start(database: Database, user_id: str) -> str:
    """Sign somebody in; return the handle of the session."""
    with database.transaction("write") as db:
        return user_sessions.start(
            db,
            user_id,
            amr=frozenset({"pwd"}),
            acr=None,
            now=NOW,
            lifetimes=SessionLifetimes(timedelta(hours=1), timedelta(hours=2)),
            origin=Origin("", "192.0.2.1", ""),
        )


def lives(database: Database, handle: str) -> bool:
    with database.transaction("read") as db:
        return user_sessions.find(db, handle, NOW) is not None


def id_of(db: Transaction, handle: str) -> str:
    session = user_sessions.find(db, handle, NOW)
    assert session is not None
    return session.id
