"""A `jti` is used once, in its namespace, by its client."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from oidc_server.database import Database
from oidc_server.domain import used_jtis
from tests.domain.conftest import NOW
from tests.domain.racing import race

LATER = NOW + timedelta(minutes=1)
TIMES: Any = {"usable_from": NOW, "expires_at": LATER}


def test_each_triple_is_claimed_once(database: Database) -> None:
    triples = list(product(("a", "ab"), ("c", "bc"), ("j", "cj", "\0j", "\ud800", "\u00e9" * 256)))

    with database.transaction("write") as db:
        first = [used_jtis.claim(db, *triple, **TIMES) for triple in triples]
        again = [used_jtis.claim(db, *triple, **TIMES) for triple in triples]

    assert set(first) == {True}
    assert set(again) == {False}


def test_a_use_is_forgotten_when_its_token_is_over(database: Database) -> None:
    with database.transaction("write") as db:
        for jti in "abc":
            used_jtis.claim(db, "n", "c", jti, **TIMES)

        assert used_jtis.prune(db, LATER, 10) == 0
        assert used_jtis.prune(db, LATER + timedelta(seconds=1), 2) == 2
        assert used_jtis.prune(db, LATER + timedelta(seconds=1), 2) == 1
        assert used_jtis.claim(db, "n", "c", "a", **TIMES)


def test_after_a_restore_whatever_can_have_been_used_before_it_counts_as_used(
    database: Database,
) -> None:
    second = timedelta(seconds=1)
    with database.transaction("write") as db:
        used_jtis.use_up_all_before(db, NOW - second)
        used_jtis.use_up_all_before(db, NOW)  # restored once more

        for usable_from, is_new in ((NOW - second, False), (NOW, False), (NOW + second, True)):
            times = {"usable_from": usable_from, "expires_at": LATER}
            used = used_jtis.is_used(db, "n", "c", "j", usable_from=usable_from)
            assert used is not is_new
            assert used_jtis.claim(db, "n", "c", "j", **times) is is_new
        later = NOW + timedelta(hours=3)
        assert used_jtis.prune(db, later, 10) == 2
        assert used_jtis.claim(db, "n", "c", "j", **TIMES)


def claim_many(database: Database, _name: str) -> int:
    claimed = 0
    for number in range(50):
        with database.transaction("write") as db:
            claimed += used_jtis.claim(db, "n", "c", str(number), **TIMES)
    return claimed


@pytest.mark.race
def test_two_processes_never_both_claim_one(database: Database) -> None:
    assert sum(race(claim_many, database)) == 50
