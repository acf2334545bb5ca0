"""People: their names, their addresses, their passwords; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from oidc_server.database import Database
from oidc_server.domain import attempts, credentials, endings, links, users
from oidc_server.domain.attempts import Allowed
from oidc_server.domain.identifiers import InvalidFieldError
from oidc_server.domain.links import Purpose
from oidc_server.domain.outbox import OutboxRow
from oidc_server.domain.users import EmailTakenError, User, UsernameTakenError
from tests.domain import sessions
from tests.domain.conftest import NOW
from tests.domain.racing import race
from tests.factories import account_of, everybody
from tests.held_up import held_up

LATER = NOW + timedelta(minutes=1)


def create(database, username, email="somebody@example.com", **values):
    with database.transaction("write") as db:
        return users.create(
            db,
            **{"username": username, "email": email, "name": None, "now": NOW}
            | {"password_hash": "hash"}
            | values,
        )


def verify(database, user_id, email):
    with database.transaction("write") as db:
        return users.verify_email(db, user_id, email, NOW)


def find(database, user_id):
    with database.transaction("read") as db:
        return users.get(db, user_id)


def has_password(db, user_id, password_hash):
    return credentials.has_password(db, user_id, password_hash, NOW, may_return=False)


def signs_in(database, identifier):
    with database.transaction("read") as db:
        row = credentials.find_by_name(db, identifier)
        return row and row.id


def mails(database):
    with database.transaction("read") as db:
        return [(row.kind, row.payload["to"]) for row in db.session.scalars(select(OutboxRow))]


def test_a_person_is_known_by_a_random_id(database):
    user = create(database, " Ada ", "Ada@Example.com", name=" Ada Lovelace ")

    assert UUID(user.id).version == 4
    assert (user.username, user.canonical_username) == ("Ada", "ada")
    assert (user.email, user.canonical_email) == ("Ada@example.com", "ada@example.com")
    assert user.name == "Ada Lovelace"
    assert user.email_verified_at is None


@pytest.mark.parametrize("again", ["ada", "ADA", " ada ", "ⓐda"])
def test_a_username_is_taken_in_all_its_spellings(database, ada, again):
    with pytest.raises(UsernameTakenError):
        create(database, again)


def test_whoever_asks_for_a_taken_name_leaves_nothing_behind(database, ada):
    with database.transaction("write") as db, pytest.raises(UsernameTakenError):
        users.create(db, username="ada", email=None, name=None, password_hash="hash", now=NOW)

    with database.transaction("read") as db:
        assert len(everybody(db)) == 1


def test_everything_wrong_with_a_new_account_is_told_at_once():
    found = users.problems(username="two words", email="nowhere", name="Ada\0")

    assert found == {"username": "invalid", "email": "invalid", "name": "invalid"}
    assert users.problems(username="ada", email="ada@example.com", name="") == {}


def test_an_account_cannot_be_made_around_the_rules(database):
    with pytest.raises(InvalidFieldError):
        create(database, "ada@example.com")


def test_one_signs_in_with_a_username_or_a_verified_address(database, ada):
    assert signs_in(database, " ADA ") == ada
    assert signs_in(database, "Ada@Example.com") == ada
    assert signs_in(database, "nobody") is None
    assert signs_in(database, "@@") is None
    assert signs_in(database, "") is None


def test_an_unverified_address_opens_nothing(database):
    create(database, "eve", "ada@example.com")

    assert signs_in(database, "ada@example.com") is None


def test_an_address_may_be_claimed_by_many_and_verified_by_one(database):
    first = create(database, "first", "shared@example.com").id
    second = create(database, "second", "shared@example.com").id

    assert verify(database, second, "Shared@example.com")
    assert not verify(database, first, "shared@example.com")

    assert signs_in(database, "shared@example.com") == second
    assert find(database, first).email_verified_at is None


def test_only_the_address_of_the_account_is_verified(database):
    eve = create(database, "eve", "eve@example.com").id

    assert not verify(database, eve, "ada@example.com")
    assert verify(database, eve, "eve@example.com")
    assert not verify(database, eve, "eve@example.com")


def test_an_account_is_not_made_with_a_verified_address_of_somebody_else(database, ada):
    with pytest.raises(EmailTakenError):
        create(database, "eve", "ada@example.com", email_verified=True)

    assert signs_in(database, "eve") is None


def test_an_account_is_made_whole_or_not_at_all_inside_a_part_that_may_fail(database, ada):
    def make(db, username, email):
        with db.savepoint():
            return users.create(
                db,
                username=username,
                email=email,
                name=None,
                password_hash="hash",
                now=NOW,
                email_verified=True,
            )

    with database.transaction("write") as db:
        with pytest.raises(EmailTakenError):
            make(db, "eve", "ada@example.com")
        bob = make(db, "bob", "bob@example.com").id

    assert signs_in(database, "eve") is None
    assert signs_in(database, "bob@example.com") == bob


def test_a_new_password_ends_sessions_links_and_throttling_and_says_so(database, ada):
    handles = [sessions.start(database, ada) for _ in range(2)]
    with database.transaction("write") as db:
        link = links.mint(
            db, Purpose.RESET_PASSWORD, user_id=ada, email=None, now=NOW, lifetime=LATER - NOW
        )
        for _ in range(11):
            attempts.book(db, ada, NOW)

    with database.transaction("write") as db:
        endings.change_password(db, ada, "hash of the second", NOW, address="192.0.2.1")

    assert find(database, ada).password_hash == "hash of the second"
    assert [sessions.lives(database, handle) for handle in handles] == [False, False]
    assert mails(database) == [("security_notice", "ada@example.com")]
    with database.transaction("write") as db:
        assert links.find(db, link, Purpose.RESET_PASSWORD, NOW) is None
        assert isinstance(attempts.book(db, ada, NOW), Allowed)


def test_a_new_password_may_keep_the_session_it_was_chosen_in(database, ada):
    here, there = (sessions.start(database, ada) for _ in range(2))
    with database.transaction("write") as db:
        kept = sessions.id_of(db, here)
        endings.change_password(db, ada, "another hash", NOW, keep_session=kept)

    assert sessions.lives(database, here)
    assert not sessions.lives(database, there)


def test_no_mail_goes_to_an_address_that_may_be_somebody_elses(database):
    eve = create(database, "eve", "ada@example.com").id

    with database.transaction("write") as db:
        endings.change_password(db, eve, "another hash", NOW)

    assert mails(database) == []


def test_a_disabled_person_is_signed_out_and_has_no_links(database, ada):
    handle = sessions.start(database, ada)
    with database.transaction("write") as db:
        link = links.mint(
            db, Purpose.VERIFY_EMAIL, user_id=ada, email=None, now=NOW, lifetime=LATER - NOW
        )

    with database.transaction("write") as db:
        endings.disable_user(db, ada, NOW)
        endings.disable_user(db, ada, LATER)

    assert find(database, ada).disabled_at == NOW
    assert not sessions.lives(database, handle)
    with database.transaction("read") as db:
        assert links.find(db, link, Purpose.VERIFY_EMAIL, NOW) is None
        assert not has_password(db, ada, "hash of the first password")


def test_a_password_is_rehashed_only_if_it_is_still_the_same(database, ada):
    with database.transaction("write") as db:
        credentials.rehash(db, ada, seen="hash of the first password", better="better")
        credentials.rehash(db, ada, seen="hash of the first password", better="too late")

    with database.transaction("read") as db:
        assert has_password(db, ada, "better")


def _sign_up_25_times(database: Database, name: str) -> int:
    def attempt(number: int) -> bool:
        with database.transaction("write") as db:
            try:
                users.create(
                    db,
                    username="Wanted",
                    email="wanted@example.com",
                    name=f"{name} {number}",
                    password_hash="hash",
                    now=NOW,
                )
            except UsernameTakenError:
                return False
            return True

    with ThreadPoolExecutor(5) as pool:
        return sum(pool.map(attempt, range(25)))


@pytest.mark.race
@pytest.mark.slow
def test_of_fifty_who_want_one_name_at_once_one_gets_it(database):
    winners = race(_sign_up_25_times, database)

    assert sum(winners) == 1
    with database.transaction("read") as db:
        assert db.session.scalar(select(func.count()).select_from(User)) == 1


def _verify_own(database: Database, name: str) -> bool:
    with database.transaction("read") as db:
        row = account_of(db, name)
    with database.transaction("write") as db:
        return users.verify_email(db, row.id, "shared@example.com", NOW)


@pytest.mark.race
@pytest.mark.slow
def test_of_two_who_verify_one_address_at_once_one_gets_it(database):
    create(database, "first", "shared@example.com")
    create(database, "second", "shared@example.com")

    verified = race(_verify_own, database)

    assert sorted(verified) == [False, True]


def test_a_number_that_comes_while_another_is_verified_is_not_verified(database, ada):
    def call_me(number):
        with database.transaction("write") as db:
            users.edit(db, ada, {"phone_number": number}, LATER)

    call_me("+4930111111")
    with database.transaction("write") as db:
        users.edit(db, ada, {"phone_number": "+4930111111"}, NOW, phone_number_verified=True)
        calling = held_up(lambda: call_me("+4930222222"))
    calling()

    person = find(database, ada)
    assert (person.phone_number, person.phone_number_verified_at) == ("+4930222222", None)


def test_an_address_that_is_verified_while_another_follows_it_can_have_the_change_undone(database):
    user_id = create(database, "grace", "grace@example.com").id
    with database.transaction("write") as db:
        assert users.verify_email(db, user_id, "grace@example.com", NOW)
        changing = held_up(lambda: change_email(database, user_id, "new@example.com"))
    changing()

    assert find(database, user_id).email == "new@example.com"
    assert ("email_changed", "grace@example.com") in mails(database)


def change_email(database, user_id, email):
    with database.transaction("write") as db:
        endings.change_email(db, user_id, email, NOW, undo_lifetime=timedelta(days=1))
