"""What ends together, and who is told of it, whatever the reason."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from oidc_server.database import ConflictError, Database
from oidc_server.domain import (
    client_metadata,
    clients,
    endings,
    grants,
    logout_deliveries,
    outbox,
    user_sessions,
)
from oidc_server.domain.grants import Authorization, CodeTerms, Grant
from oidc_server.domain.logout_deliveries import LogoutDelivery
from oidc_server.domain.outbox import Queue
from oidc_server.domain.user_sessions import SessionLifetimes, UserSession
from tests.domain import sessions
from tests.domain.conftest import NOW
from tests.domain.racing import race
from tests.held_up import held_up

HOUR = timedelta(hours=1)
BACK = "https://app.example.net/backchannel"


def make_client(database: Database, **changes: Any) -> str:
    metadata = client_metadata.for_type(
        "web",
        client_name="Ledger",
        redirect_uris=("https://app.example.net/callback",),
        **changes,
    )
    with database.transaction("write") as db:
        made = clients.create(db, client_type="web", metadata=metadata, now=NOW)
        return made.client.client_id


def start(
    database: Database, user_id: str, client_ids: Iterable[str] = (), scope: str = "openid"
) -> str:
    """Sign somebody in at these clients; return the id of the session."""
    handle = sessions.start(database, user_id)
    with database.transaction("write") as db:
        session_id = sessions.id_of(db, handle)
        for client_id in client_ids:
            grants.mint(db, authorization_in(session_id, user_id, client_id, scope), NOW, HOUR)
        return session_id


def authorization_in(
    session_id: str, user_id: str, client_id: str, scope: str = "openid"
) -> Authorization:
    return Authorization(
        user_id=user_id,
        pairwise_sub=None,
        client_id=client_id,
        scopes=frozenset(scope.split()),
        resources=frozenset(),
        auth_time=NOW,
        amr=frozenset(),
        acr=None,
        session_id=session_id,
        sid=None,
    )


def end(database: Database, session_id: str, now: datetime = NOW) -> list[str]:
    with database.transaction("write") as db:
        return [client.client_id for client in endings.end_session(db, session_id, now)]


def end_the_session(database: Database, _name: str) -> list[str]:
    """End the only session there is."""
    with database.transaction("read") as db:
        [session_id] = db.session.scalars(select(UserSession.id))
    return end(database, session_id)


def owed(database: Database) -> list[LogoutDelivery]:
    with database.transaction("read") as db:
        return logout_deliveries.find_all(db, only_failed=False, limit=100)


def told(database: Database) -> list[str]:
    return sorted(delivery.client_id for delivery in owed(database))


def test_every_client_of_the_session_that_has_a_back_channel_is_told_once(database, ada):
    wants = [make_client(database, backchannel_logout_uri=BACK) for _ in range(2)]
    others = [make_client(database), make_client(database, frontchannel_logout_uri=BACK)]
    elsewhere = make_client(database, backchannel_logout_uri=BACK)
    start(database, ada, [elsewhere])
    session_id = start(database, ada, [*wants, *wants, *others])

    in_front = end(database, session_id)

    assert told(database) == sorted(wants)
    assert sorted(in_front) == sorted([*wants, others[1]])
    assert {delivery.destination for delivery in owed(database)} == {"app.example.net"}


def test_a_client_with_offline_access_is_told_though_its_tokens_go_on(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    session_id = start(database, ada, [client_id], "openid offline_access")

    end(database, session_id)

    assert told(database) == [client_id]


def test_a_session_that_ended_ends_no_second_time(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    session_id = start(database, ada, [client_id])

    assert end(database, session_id) == [client_id]
    assert end(database, session_id) == []

    assert told(database) == [client_id]


@pytest.mark.race
def test_of_two_that_end_a_session_at_once_one_tells(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    start(database, ada, [client_id])

    answers = race(end_the_session, database)

    assert sorted(answers) == [[], [client_id]]
    assert told(database) == [client_id]


def test_a_client_that_comes_in_while_the_session_ends_is_told_too(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    session_id = start(database, ada)
    with database.transaction("write") as db:
        user_sessions.hold(db, session_id)
        ending = held_up(lambda: end(database, session_id))
        grants.mint(db, authorization_in(session_id, ada, client_id), NOW, HOUR)
    ending()

    assert told(database) == [client_id]


def test_nobody_comes_in_when_the_session_has_ended(database, ada):
    session_id = start(database, ada)
    end(database, session_id)

    with database.transaction("write") as db:
        if db.dialect_name == "sqlite":  # where nothing changes between reading and writing
            return
        with pytest.raises(ConflictError):
            user_sessions.hold(db, session_id)


def test_no_code_is_made_in_a_session_that_has_ended(database, ada):
    client_id = make_client(database)
    session_id = start(database, ada)
    terms = CodeTerms(redirect_uri="https://x.example/", code_challenge=None, expires_at=NOW + HOUR)
    end(database, session_id)

    with pytest.raises(ConflictError), database.transaction("write") as db:
        grants.mint_code(db, authorization_in(session_id, ada, client_id), terms, NOW, HOUR)


def test_a_client_that_is_disabled_is_not_told(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    session_id = start(database, ada, [client_id])
    with database.transaction("write") as db:
        clients.change(db, client_id, disabled_at=NOW)

    assert end(database, session_id) == []

    assert told(database) == []


def test_a_new_password_and_a_closed_account_tell_too(database, ada):
    client_ids = [make_client(database, backchannel_logout_uri=BACK) for _ in range(3)]
    kept, *_ = [start(database, ada, [client_id]) for client_id in client_ids]

    with database.transaction("write") as db:
        endings.change_password(db, ada, "another hash", NOW, keep_session=kept)
    after_change = told(database)
    with database.transaction("write") as db:
        endings.disable_user(db, ada, NOW)

    assert after_change == sorted(client_ids[1:])
    assert told(database) == sorted(client_ids)


def test_what_apps_were_given_does_not_come_back_with_an_account(database, ada):
    start(database, ada, [make_client(database)], "openid offline_access")

    with database.transaction("write") as db:
        endings.disable_user(db, ada, NOW)
        endings.enable_user(db, ada, NOW)

    with database.transaction("read") as db:
        [ended] = db.session.scalars(select(Grant.revoked_at))
    assert ended == NOW


def test_sessions_whose_time_is_over_are_ended_in_batches_and_tell(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    for _ in range(3):
        start(database, ada, [client_id])

    def expire(now: datetime) -> int:
        with database.transaction("write") as db:
            return endings.end_expired_sessions(db, now, 2)

    assert expire(NOW + HOUR - timedelta(seconds=1)) == 0
    assert [expire(NOW + HOUR) for _ in range(3)] == [2, 1, 0]
    assert told(database) == [client_id] * 3


def test_a_session_that_is_renewed_when_its_time_is_over_goes_on(database, ada):
    handle = sessions.start(database, ada)
    last = NOW + HOUR - timedelta(seconds=1)

    def expire() -> None:
        with database.transaction("write") as db:
            endings.end_expired_sessions(db, NOW + HOUR, 2)

    with database.transaction("write") as db:
        session = user_sessions.find(db, handle, last)
        assert session is not None
        lifetimes = SessionLifetimes(HOUR, HOUR)
        _ = db.session  # with which nothing waits to be sent
        renewed = user_sessions.renew(
            db, session, amr=session.amr, acr=session.acr, now=last, lifetimes=lifetimes
        )
        expiring = held_up(expire)
    expiring()

    assert sessions.lives(database, renewed)


def test_a_page_that_is_shown_during_a_sign_in_does_not_end_the_session_early(database, ada):
    handle = sessions.start(database, ada)
    late = NOW + 2 * HOUR - timedelta(minutes=5)
    with database.transaction("write") as db:
        session = user_sessions.find(db, handle, NOW)
        assert session is not None
        renewed = user_sessions.renew(
            db,
            session,
            amr=session.amr,
            acr=session.acr,
            now=late,
            lifetimes=SessionLifetimes(HOUR, 2 * HOUR),
        )

    with database.transaction("write") as db:
        user_sessions.touch(db, session, late, HOUR)

    with database.transaction("read") as db:
        assert user_sessions.find(db, renewed, late + HOUR / 2) is not None


def test_what_was_given_up_is_counted_and_begins_anew_when_asked(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    end(database, start(database, ada, [client_id]))
    with database.transaction("write") as db:
        item = outbox.lease(db, NOW, HOUR, Queue.LOGOUT)
        assert item is not None
        outbox.give_up(db, item, "it said no", NOW)

    with database.transaction("write") as db:
        failed = logout_deliveries.find_all(db, only_failed=True, limit=10)
        counted = logout_deliveries.failed_count(db, NOW - HOUR)
        again = logout_deliveries.retry(db, failed[0].id, NOW)
        none_left = logout_deliveries.retry_failed(db, NOW)

    assert (failed[0].state, failed[0].last_error, counted) == ("failed", "it said no", 1)
    assert (again, none_left) == (True, 0)
    assert owed(database)[0].state == "waiting"
    with database.transaction("write") as db:
        item = outbox.lease(db, NOW, HOUR, Queue.LOGOUT)
    assert item is not None
    assert item.id == failed[0].id


def test_mails_and_logouts_do_not_take_each_others_rows(database, ada):
    client_id = make_client(database, backchannel_logout_uri=BACK)
    end(database, start(database, ada, [client_id]))

    with database.transaction("write") as db:
        assert outbox.lease(db, NOW, HOUR) is None
        assert outbox.lease(db, NOW, HOUR, Queue.LOGOUT, ["b.example", "app.example.net"]) is None
        assert outbox.lease(db, NOW, HOUR, Queue.LOGOUT, ["example.net"]) is not None
