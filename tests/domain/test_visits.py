"""What is prefetched for a visit is what the tables say."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from oidc_server.database import Database, Transaction
from oidc_server.domain import clients, consents, endings, user_sessions, users, visits
from oidc_server.domain.consents import Permission
from tests.domain import sessions
from tests.domain.conftest import NOW
from tests.domain.plans import plan_of
from tests.domain.test_endings import make_client

ALLOWED = Permission(frozenset({"openid", "email"}), frozenset({"https://api.example.net/"}))


def nothing(_db: Transaction, _user_id: str, _client_id: str, _session_id: str) -> None:
    """All is as it was."""


def allow(db: Transaction, user_id: str, client_id: str, _session_id: str) -> None:
    client = clients.find(db, client_id)
    assert client is not None
    consents.remember(db, user_id, client, ALLOWED, NOW)


def end(db: Transaction, _user_id: str, _client_id: str, session_id: str) -> None:
    endings.end_session(db, session_id, NOW)


def disable_client(db: Transaction, _user_id: str, client_id: str, _session_id: str) -> None:
    clients.change(db, client_id, disabled_at=NOW)


def disable_user(db: Transaction, user_id: str, _client_id: str, _session_id: str) -> None:
    users.get(db, user_id).disabled_at = NOW  # and nothing else: `endings` would end the session


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=1)], ids=["now", "too late"])
@pytest.mark.parametrize("happens", [nothing, allow, end, disable_client, disable_user])
def test_what_is_prefetched_is_what_each_would_find_alone(
    database: Database,
    ada: str,
    happens: Callable[[Transaction, str, str, str], None],
    later: timedelta,
) -> None:
    client_id, handle, now = make_client(database), sessions.start(database, ada), NOW + later
    with database.transaction("write") as db:
        client = clients.find(db, client_id)
        session_id = sessions.id_of(db, handle)
        happens(db, ada, client_id, session_id)
    assert client is not None

    with database.transaction("read") as db:
        alone = (
            clients.find(db, client_id),
            user_sessions.find(db, handle, now),
            consents.find(db, ada, client),
        )
        visits.prefetch(db, client_id, handle, now)
        along = (
            clients.find(db, client_id),
            user_sessions.find(db, handle, now),
            consents.find(db, ada, client),
        )

    assert along == alone


def test_a_visit_of_an_unknown_client_still_finds_the_session(database: Database, ada: str) -> None:
    handle = sessions.start(database, ada)

    with database.transaction("read") as db:
        visits.prefetch(db, "nobody", handle, NOW)
        found = clients.find(db, "nobody"), user_sessions.find(db, handle, NOW)

    assert found[0] is None
    assert found[1] is not None


def test_a_visit_reads_no_table_from_one_end_to_the_other(database: Database) -> None:
    with database.transaction("write") as db:
        plan = plan_of(db, visits._READ)

    assert "SCAN" not in plan
    assert "Seq Scan" not in plan
