"""What became of a password while it was being hashed, on both databases."""

from datetime import timedelta

import pytest

from oidc_server.domain import attempts, endings, users
from oidc_server.domain.attempts import Allowed
from oidc_server.people import password_proof
from oidc_server.people.password_proof import PasswordProof
from tests.factories import make_user


def proof_of(site, person, **changes):
    """A proof that held at the moment its password was hashed."""
    with site.db() as db:
        booked = attempts.book(db, person.id, site.clock.now)
        seen = users.get(db, person.id).password_hash
    assert isinstance(booked, Allowed)
    return PasswordProof(person.id, holds=True, seen=seen, subject=booked.subject, **changes)


def settle(site, proof):
    with site.db() as db:
        return password_proof.settle(db, proof, site.clock.now)


def test_a_proof_that_still_holds_clears_the_count(site):
    person = make_user(site)
    with site.db() as db:
        for _ in range(9):
            attempts.book(db, person.id, site.clock.now)

    assert settle(site, proof_of(site, person))

    with site.db() as db:
        assert isinstance(attempts.book(db, person.id, site.clock.now), Allowed)


def test_a_password_changed_meanwhile_opens_nothing(site):
    person = make_user(site)
    proof = proof_of(site, person, rehash="a better hash of the old password")

    with site.db() as db:
        endings.change_password(db, person.id, "the hash of another password", site.clock.now)

    assert not settle(site, proof)
    with site.db() as db:
        assert users.get(db, person.id).password_hash == "the hash of another password"


def test_an_account_disabled_meanwhile_opens_nothing(site):
    person = make_user(site)
    proof = proof_of(site, person)

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    assert not settle(site, proof)


@pytest.mark.parametrize("may_return", [False, True])
def test_an_account_deleted_meanwhile_opens_only_to_a_sign_in_that_brings_it_back(site, may_return):
    person = make_user(site)
    proof = proof_of(site, person, may_return=may_return)

    with site.db() as db:
        endings.schedule_deletion(db, person.id, site.clock.now, grace=timedelta(days=14))

    assert settle(site, proof) is may_return


@pytest.mark.parametrize("reason", ["malformed", "throttled", "unknown_user", "wrong_password"])
def test_what_was_not_proven_cannot_be_settled(site, reason):
    assert not settle(site, PasswordProof(None, holds=False, reason=reason))
