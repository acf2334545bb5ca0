"""Links that are handed to a person, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from oidc_server.database import Database
from oidc_server.domain import links, roles
from oidc_server.domain.links import Link, Purpose
from tests.domain.conftest import NOW
from tests.domain.racing import race

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def mint(database, user_id, purpose=Purpose.RESET_PASSWORD):
    with database.transaction("write") as db:
        return links.mint(
            db, purpose, user_id=user_id, email="ada@example.com", now=NOW, lifetime=HOUR
        )


def find(database, link_id, purpose=Purpose.RESET_PASSWORD, now=NOW):
    with database.transaction("read") as db:
        return links.find(db, link_id, purpose, now)


def consume(database, link_id, purpose=Purpose.RESET_PASSWORD, now=NOW):
    with database.transaction("write") as db:
        return links.consume(db, link_id, purpose, now)


def open_setup(database: Database) -> str | None:
    with database.transaction("write") as db:
        return links.open_setup(db, NOW)


def test_a_link_knows_what_it_was_made_for(database, ada):
    link_id = mint(database, ada)

    assert find(database, link_id) == Link(
        link_id, Purpose.RESET_PASSWORD, ada, "ada@example.com", NOW, NOW + HOUR, None
    )


def test_looking_at_a_link_does_not_use_it_and_using_it_works_once(database, ada):
    link_id = mint(database, ada)

    assert find(database, link_id) == find(database, link_id)
    assert consume(database, link_id) is not None
    assert consume(database, link_id) is None
    assert find(database, link_id) is None


def test_a_link_ends(database, ada):
    link_id = mint(database, ada)

    assert find(database, link_id, now=NOW + HOUR - SECOND) is not None
    assert find(database, link_id, now=NOW + HOUR) is None
    assert consume(database, link_id, now=NOW + HOUR) is None


@pytest.mark.parametrize("other", [Purpose.VERIFY_EMAIL, Purpose.SET_UP])
def test_a_link_is_void_for_another_purpose(database, ada, other):
    link_id = mint(database, ada)

    assert consume(database, link_id, other) is None
    assert consume(database, link_id) is not None


@pytest.mark.parametrize("guess", ["", "x", "00000000-0000-4000-8000-000000000000", "' OR 1=1"])
def test_a_guessed_id_is_not_found(database, ada, guess):
    mint(database, ada)

    assert consume(database, guess) is None


def test_links_of_one_purpose_are_withdrawn_together(database, ada):
    withdrawn = [mint(database, ada) for _ in range(2)]
    kept = mint(database, ada, Purpose.VERIFY_EMAIL)

    with database.transaction("write") as db:
        links.kill(db, ada, Purpose.RESET_PASSWORD, NOW)

    assert [find(database, link_id) for link_id in withdrawn] == [None, None]
    assert find(database, kept, Purpose.VERIFY_EMAIL) is not None


def test_there_is_one_link_to_set_up_until_there_is_an_administrator(database, ada):
    first = open_setup(database)

    assert open_setup(database) == first
    with database.transaction("write") as db:
        roles.assign(db, ada, roles.ADMIN, NOW)
    assert open_setup(database) is None


def test_a_used_link_to_set_up_is_followed_by_another_while_nobody_administers(database):
    first = open_setup(database)
    assert consume(database, first, Purpose.SET_UP, NOW + timedelta(days=365)) is not None

    assert open_setup(database) not in (None, first)


def test_links_are_deleted_a_week_after_their_end(database, ada):
    link_id = mint(database, ada)
    open_setup(database)

    def prune(now):
        with database.transaction("write") as db:
            return links.prune(db, now, 100)

    assert prune(NOW + timedelta(days=7)) == 0
    assert prune(NOW + timedelta(days=8)) == 1
    assert find(database, link_id) is None


def _consume_ten_times(database: Database, name: str) -> int:
    with database.transaction("read") as db:
        link_id = str(db.session.query(links.LinkRow.id).one()[0])
    with ThreadPoolExecutor(5) as pool:
        return sum(pool.map(lambda _: consume(database, link_id) is not None, range(10)))


@pytest.mark.race
@pytest.mark.slow
def test_of_twenty_who_use_one_link_at_once_one_gets_it(database, ada):
    mint(database, ada)

    winners = race(_consume_ten_times, database)

    assert sum(winners) == 1


def _open_setup(database: Database, name: str) -> str | None:
    return open_setup(database)


@pytest.mark.race
@pytest.mark.slow
def test_two_servers_that_start_at_once_print_the_same_link(database):
    first, second = race(_open_setup, database)

    assert first == second
