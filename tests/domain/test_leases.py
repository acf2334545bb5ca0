"""Leases, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from oidc_server.database import Database
from oidc_server.domain import leases
from oidc_server.domain.base import Base, table_of
from tests.domain.racing import race

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def database(fresh_database_url: str) -> Iterator[Database]:
    database = Database(fresh_database_url)
    Base.metadata.create_all(database.engine, tables=[table_of(leases.Lease)])
    yield database
    database.close()


def acquire(database: Database, holder: str, now: datetime = NOW, name: str = "sweep") -> bool:
    with database.transaction("write") as db:
        return leases.acquire(db, name, holder, now, MINUTE)


def test_a_held_lease_is_refused_to_others_until_it_ends(database):
    assert acquire(database, "first")

    assert not acquire(database, "second", NOW + MINUTE - timedelta(microseconds=1))
    assert acquire(database, "second", NOW + MINUTE)
    assert not acquire(database, "first", NOW + MINUTE)


def test_its_holder_prolongs_a_lease(database):
    acquire(database, "first")

    assert acquire(database, "first", NOW + MINUTE / 2)

    assert not acquire(database, "second", NOW + MINUTE)


def test_leases_of_other_names_do_not_matter(database):
    acquire(database, "first")

    assert acquire(database, "second", name="another")


def test_a_released_lease_is_free_at_once(database):
    acquire(database, "first")

    with database.transaction("write") as db:
        leases.release(db, "sweep", "first")

    assert acquire(database, "second")


def test_nobody_releases_the_lease_of_another(database):
    acquire(database, "first")

    with database.transaction("write") as db:
        leases.release(db, "sweep", "second")

    assert not acquire(database, "second")


@pytest.mark.race
@pytest.mark.slow
def test_of_two_processes_that_ask_at_once_one_gets_each_lease(database):
    won = race(ask_for_many, database)

    assert sorted(won[0] + won[1]) == list(range(50))


def ask_for_many(database: Database, holder: str) -> list[int]:
    return [number for number in range(50) if acquire(database, holder, name=f"lease {number}")]


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(database):
    acquire(database, "first", NOW + 60 * MINUTE)

    assert acquire(database, "second", NOW)
    assert not acquire(database, "first", NOW)
