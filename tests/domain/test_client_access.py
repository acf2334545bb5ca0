"""Which clients have something of a person, and how it is taken back."""

from datetime import datetime, timedelta

from oidc_server.database import Database
from oidc_server.domain import client_access, clients, consents, endings, grants, refresh_tokens
from oidc_server.domain.client_access import ClientAccess
from oidc_server.domain.consents import Permission
from oidc_server.domain.grants import CodeTerms
from tests.domain import sessions
from tests.domain.conftest import NOW
from tests.domain.test_endings import authorization_in, make_client
from tests.held_up import held_up

HOUR = timedelta(hours=1)


def allow(database: Database, user_id: str, client_id: str, scope: str, now=NOW) -> None:
    with database.transaction("write") as db:
        client = clients.find(db, client_id)
        assert client is not None
        consents.remember(db, user_id, client, Permission(frozenset(scope.split())), now)


def give(
    database: Database, user_id: str, client_id: str, scope: str, now: datetime = NOW
) -> grants.Granted:
    session_id = "0193b1d2-0000-4000-8000-000000000000"
    authorization = authorization_in(session_id, user_id, client_id, scope)
    with database.transaction("write") as db:
        return grants.mint(db, authorization, now, 9 * HOUR)


def list_of(database: Database, user_id: str, now: datetime = NOW) -> list[ClientAccess]:
    with database.transaction("read") as db:
        return client_access.list_of_user(db, user_id, now)


def withdraw(database: Database, user_id: str, client_id: str) -> bool:
    with database.transaction("write") as db:
        return endings.withdraw_client(db, user_id, client_id, NOW)


def test_what_was_allowed_and_what_is_held_is_one_entry_for_each_client(database, ada):
    asked, trusted = make_client(database), make_client(database)
    allow(database, ada, asked, "openid email")
    give(database, ada, asked, "openid", NOW + HOUR)
    give(database, ada, asked, "openid profile", NOW + 2 * HOUR)
    give(database, ada, trusted, "openid", NOW + 3 * HOUR)

    assert list_of(database, ada, NOW + 3 * HOUR) == [
        ClientAccess(
            trusted,
            NOW + 3 * HOUR,
            Permission(frozenset({"openid"})),
            NOW + 3 * HOUR,
            grants=1,
        ),
        ClientAccess(
            asked,
            NOW,
            Permission(frozenset({"openid", "email", "profile"})),
            NOW + 2 * HOUR,
            has_consent=True,
            grants=2,
        ),
    ]


def test_a_refresh_is_a_use_whether_its_token_rotates_or_not(database, ada):
    client_id = make_client(database)
    granted = give(database, ada, client_id, "openid")
    with database.transaction("write") as db:
        token = refresh_tokens.mint(db, granted, NOW, HOUR)
        presented = refresh_tokens.find(db, token, NOW)
        assert presented is not None
        refresh_tokens.extend(db, presented, NOW + HOUR / 2, HOUR)
    [access] = list_of(database, ada)
    assert access.last_used_at == NOW + HOUR / 2

    with database.transaction("write") as db:
        presented = refresh_tokens.find(db, token, NOW + HOUR)
        assert presented is not None
        keys, idle = [b"k" * 32], HOUR
        refresh_tokens.rotate(db, presented, NOW + HOUR, keys=keys, grace=HOUR, idle_lifetime=idle)
    [access] = list_of(database, ada)
    assert access.last_used_at == NOW + HOUR


def test_what_is_over_or_was_never_fetched_is_not_listed(database, ada):
    client_id = make_client(database)
    revoked = give(database, ada, client_id, "openid")
    handle = sessions.start(database, ada)
    with database.transaction("read") as db:
        session_id = sessions.id_of(db, handle)
    terms = CodeTerms(redirect_uri="https://x.example/", code_challenge=None, expires_at=NOW + HOUR)
    with database.transaction("write") as db:
        grants.revoke(db, revoked.grant_id, NOW)
        authorization = authorization_in(session_id, ada, client_id)
        code = grants.mint_code(db, authorization, terms, NOW, 9 * HOUR)
    assert list_of(database, ada) == []

    with database.transaction("write") as db:
        fetched = grants.find_by_code(db, code)
        assert fetched is not None
        grants.redeem(db, fetched.grant_id, NOW + HOUR)

    assert [access.last_used_at for access in list_of(database, ada)] == [NOW + HOUR]
    assert list_of(database, ada, NOW + 9 * HOUR) == []


def test_withdrawing_ends_what_one_client_has_of_one_person(database, ada):
    mine, other = make_client(database), make_client(database)
    for client_id in (mine, other):
        allow(database, ada, client_id, "openid")
    held = give(database, ada, mine, "openid offline_access")
    kept = give(database, ada, other, "openid")

    assert withdraw(database, ada, mine)
    assert not withdraw(database, ada, mine)

    assert [access.client_id for access in list_of(database, ada)] == [other]
    with database.transaction("read") as db:
        ended, goes_on = grants.find(db, held.grant_id), grants.find(db, kept.grant_id)
        client = clients.find(db, mine)
        assert client is not None
        assert consents.find(db, ada, client) == Permission()
    assert ended is not None
    assert goes_on is not None
    assert (ended.holds(NOW), goes_on.holds(NOW)) == (False, True)


def test_a_session_is_ended_by_its_owner_alone(database, ada):
    handle = sessions.start(database, ada)
    with database.transaction("write") as db:
        session_id = sessions.id_of(db, handle)
        assert not endings.end_session_of_user(
            db, "0193b1d2-0000-4000-8000-000000000000", session_id, NOW
        )
        assert not endings.end_session_of_user(db, ada, "no id", NOW)
    assert sessions.lives(database, handle)

    with database.transaction("write") as db:
        assert endings.end_session_of_user(db, ada, session_id, NOW)
        assert not endings.end_session_of_user(db, ada, session_id, NOW)
    assert not sessions.lives(database, handle)


def test_withdrawing_waits_for_a_code_that_is_being_made(database, ada):
    client_id = make_client(database)
    allow(database, ada, client_id, "openid")
    handle = sessions.start(database, ada)
    with database.transaction("read") as db:
        session_id = sessions.id_of(db, handle)
    terms = CodeTerms(redirect_uri="https://x.example/", code_challenge=None, expires_at=NOW + HOUR)

    with database.transaction("write") as db:
        _ = db.session  # with which nothing is committed before the end
        authorization = authorization_in(session_id, ada, client_id)
        code = grants.mint_code(db, authorization, terms, NOW, HOUR, needs_consent=True)
        withdrawing = held_up(lambda: withdraw(database, ada, client_id))
    withdrawing()

    with database.transaction("read") as db:
        granted = grants.find_by_code(db, code)
        assert granted is not None
        assert granted.revoked_at == NOW
