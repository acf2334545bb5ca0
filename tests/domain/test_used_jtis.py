"""A `jti` is used once, in its namespace, by its client."""

from datetime import timedelta
from itertools import product

import pytest

from oidc_server.database import Database
from oidc_server.domain import used_jtis
from tests.domain.conftest import NOW
from tests.domain.racing import race

LATER = NOW + timedelta(minutes=1)


def test_each_triple_is_claimed_once(database: Database) -> None:
    triples = list(product(("a", "ab"), ("c", "bc"), ("j", "cj", "\0j", "\ud800", "\u00e9" * 256)))

    with database.transaction("write") as db:
        first = [used_jtis.claim(db, *triple, expires_at=LATER) for triple in triples]
        again = [used_jtis.claim(db, *triple, expires_at=LATER) for triple in triples]

    assert set(first) == {True}
    assert set(again) == {False}


def test_a_use_is_forgotten_when_its_token_is_over(database: Database) -> None:
    with database.transaction("write") as db:
        for jti in "abc":
            used_jtis.claim(db, "n", "c", jti, expires_at=LATER)

        assert used_jtis.prune(db, LATER, 10) == 0
        assert used_jtis.prune(db, LATER + timedelta(seconds=1), 2) == 2
        assert used_jtis.prune(db, LATER + timedelta(seconds=1), 2) == 1
        assert used_jtis.claim(db, "n", "c", "a", expires_at=LATER)


def claim_many(database: Database, _name: str) -> int:
    claimed = 0
    for number in range(50):
        with database.transaction("write") as db:
            claimed += used_jtis.claim(db, "n", "c", str(number), expires_at=LATER)
    return claimed


@pytest.mark.race
def test_two_processes_never_both_claim_one(database: Database) -> None:
    assert sum(race(claim_many, database)) == 50
