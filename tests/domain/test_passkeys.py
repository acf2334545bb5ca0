"""Passkeys where two want the same at once: a challenge, a use, the last way in."""

from datetime import timedelta

import pytest

from oidc_server.database import Database
from oidc_server.domain import factors, passkey_challenges, passkeys, users, ways_in
from oidc_server.domain.factors import recovery_codes
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.domain.passkeys import Passkey, PasskeyTakenError
from oidc_server.domain.ways_in import LastWayInError
from oidc_server.security.encryption import Vault
from oidc_server.security.passkeys import Assertion, NewPasskey
from tests.domain.conftest import NOW
from tests.domain.racing import race
from tests.held_up import held_up

BROWSER = "a mark of a browser"
CHALLENGE = "Y2hhbGxlbmdlIG9mIHRoZSByYWNl"
"""The same in both processes."""
VAULT = Vault(("a secret of the tests, long enough to be one",))
USE = Assertion(sign_count=1, user_verified=True, backed_up=False)


def new_passkey(credential_id: bytes = b"credential") -> NewPasskey:
    return NewPasskey(
        credential_id=credential_id,
        public_key=b"key",
        sign_count=0,
        aaguid="00000000-0000-0000-0000-000000000000",
        transports=frozenset({"internal"}),
        user_verified=True,
        discoverable=True,
        backup_eligible=False,
        backed_up=False,
    )


def enrol(database: Database, user_id: str, credential_id: bytes = b"credential") -> str:
    with database.transaction("write") as db:
        passkeys.handle_of(db, user_id)
        return passkeys.enrol(db, user_id, new_passkey(credential_id), "Laptop", NOW)


def mint(database: Database) -> str:
    with database.transaction("write") as db:
        return passkey_challenges.mint(db, Ceremony.SIGN_IN, browser=BROWSER, now=NOW)


def redeem(database: Database, name: str) -> bool:
    del name
    with database.transaction("write") as db:
        found = passkey_challenges.redeem(db, CHALLENGE, Ceremony.SIGN_IN, browser=BROWSER, now=NOW)
        return found is not None


def use(database: Database, name: str) -> str | None:
    del name
    with database.transaction("write") as db:
        found = passkeys.find_presented(db, b"credential", None)
        assert found is not None
        return passkeys.use(db, found, USE, NOW)


def remove(database: Database, name: str) -> bool:
    """Each process removes another one of the two."""
    with database.transaction("write") as db:
        found = passkeys.find_presented(db, name.encode(), None)
        assert found is not None
        try:
            return ways_in.remove_passkey(db, found.user_id, found.id, NOW) is not None
        except LastWayInError:
            return False


@pytest.mark.race
def test_a_challenge_that_two_answer_at_once_is_used_by_one(database, monkeypatch):
    monkeypatch.setattr("oidc_server.security.opaque_tokens.mint", lambda: CHALLENGE)
    mint(database)

    assert sorted(race(redeem, database)) == [False, True]


@pytest.mark.race
def test_of_two_uses_with_the_same_count_one_is_refused(database, ada):
    enrol(database, ada)

    assert sorted(race(use, database), key=str) == [None, "sign_count"]


@pytest.mark.race
def test_of_the_last_two_ways_in_one_stays(database, ada):
    enrol(database, ada, b"first")
    enrol(database, ada, b"second")
    with database.transaction("write") as db:
        users.get(db, ada).password_hash = None

    assert sorted(race(remove, database)) == [False, True]
    with database.transaction("read") as db:
        assert len(passkeys.list_of_user(db, ada)) == 1


def test_removing_a_passkey_waits_for_whoever_closes_the_account(database, ada):
    """They hold the person, end sessions, then delete passkeys: each would wait for the other."""
    passkey_id = enrol(database, ada)

    def take_away() -> str | None:
        with database.transaction("write") as db:
            return ways_in.remove_passkey(db, ada, passkey_id, NOW)

    with database.transaction("write") as db:
        assert users.hold(db, ada)
        removing = held_up(take_away)
        passkeys.delete_newer(db, ada, NOW)

    assert removing() is None


def test_recovery_codes_go_with_the_last_passkey_that_they_stand_in_for(database, ada):
    enrol(database, ada, b"first")
    enrol(database, ada, b"second")
    with database.transaction("write") as db:
        recovery_codes.mint(db, VAULT, ada, NOW)
        users.get(db, ada).password_hash = "hash"

    remove(database, "first")
    with database.transaction("read") as db:
        assert recovery_codes.left(db, ada) == recovery_codes.COUNT
    remove(database, "second")

    with database.transaction("read") as db:
        assert factors.held_by(db, ada) == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [{"browser": "another"}, {"now": NOW + timedelta(minutes=5)}, {"ceremony": Ceremony.PROVE}],
)
def test_a_challenge_is_for_one_browser_one_ceremony_and_five_minutes(database, wrong):
    challenge = mint(database)
    asked = {"ceremony": Ceremony.SIGN_IN, "browser": BROWSER, "now": NOW, **wrong}

    with database.transaction("write") as db:
        refused = passkey_challenges.redeem(db, challenge, **asked)
        taken = passkey_challenges.redeem(db, challenge, Ceremony.SIGN_IN, browser=BROWSER, now=NOW)

    assert refused is None
    assert taken is not None


def test_challenges_are_forgotten_when_they_are_over(database):
    mint(database)

    with database.transaction("write") as db:
        assert passkey_challenges.prune(db, NOW, 10) == 0
        assert passkey_challenges.prune(db, NOW + timedelta(minutes=6), 10) == 1


def test_the_handle_of_a_person_stays_and_is_not_their_id(database, ada):
    with database.transaction("write") as db:
        first, second = passkeys.handle_of(db, ada), passkeys.handle_of(db, ada)

    assert first == second
    assert ada.encode() not in first


def test_a_credential_belongs_to_one_person(database, ada):
    enrol(database, ada)

    with database.transaction("write") as db:
        other = users.create(db, username="eve", email=None, name=None, password_hash=None, now=NOW)
        with pytest.raises(PasskeyTakenError):
            passkeys.enrol(db, other.id, new_passkey(), "Mine", NOW)


def stored(database: Database, user_id: str) -> Passkey:
    with database.transaction("read") as db:
        [found] = passkeys.list_of_user(db, user_id)
        return found


def test_a_use_is_noted_and_a_lower_count_is_never_stored(database, ada):
    enrol(database, ada)
    with database.transaction("write") as db:
        found = passkeys.list_of_user(db, ada)[0]
        later = NOW + timedelta(days=1)
        assert passkeys.use(db, found, Assertion(7, True, True), later) is None
        assert passkeys.use(db, found, Assertion(0, True, True), later) == "sign_count"
        assert passkeys.use(db, found, Assertion(7, True, True), later) == "sign_count"
        assert passkeys.use(db, found, Assertion(8, True, True), later) is None

    assert stored(database, ada).last_used_at == NOW + timedelta(days=1)
    assert stored(database, ada).backed_up
    assert stored(database, ada).regressed_at is not None


def test_a_use_of_what_was_removed_meanwhile_is_refused(database, ada):
    enrol(database, ada)
    found = stored(database, ada)

    with database.transaction("write") as db:
        passkeys.delete_row(db, ada, found.id)
        assert passkeys.use(db, found, USE, NOW) == "removed"
