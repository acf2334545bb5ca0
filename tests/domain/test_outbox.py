"""The outbox, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from oidc_server.database import Database, Transaction
from oidc_server.domain import mails, outbox
from oidc_server.domain.base import Base, new_id, table_of
from oidc_server.domain.mails import MailKind
from oidc_server.domain.outbox import OutboxItem, OutboxRow
from tests.domain.racing import race

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
USER = new_id(NOW)


@pytest.fixture
def database(fresh_database_url: str) -> Iterator[Database]:
    database = Database(fresh_database_url)
    Base.metadata.create_all(database.engine, tables=[table_of(OutboxRow)])
    yield database
    database.close()


def enqueue(database: Database, now: datetime = NOW, to: str = "ada@example.com") -> None:
    with database.transaction("write") as db:
        mails.enqueue(
            db,
            MailKind.PASSWORD_RESET,
            user_id=USER,
            to=to,
            link_id="link",
            now=now,
            address="192.0.2.1",
        )


def lease(database: Database, now: datetime = NOW) -> OutboxItem | None:
    with database.transaction("write") as db:
        return outbox.lease(db, now, MINUTE)


def leased(database: Database, now: datetime = NOW) -> OutboxItem:
    item = lease(database, now)
    assert item is not None
    return item


def rows(database: Database) -> list[OutboxRow]:
    with database.transaction("read") as db:
        return list(db.session.scalars(select(OutboxRow)))


def test_what_is_enqueued_is_due_at_once_and_leased_with_all_its_facts(database):
    with database.transaction("read") as db:
        assert not outbox.is_due(db, NOW)

    enqueue(database)

    with database.transaction("read") as db:
        assert outbox.is_due(db, NOW)
    item = leased(database)
    assert (item.kind, item.created_at, item.attempts) == ("password_reset", NOW, 1)
    assert item.payload == {
        "user_id": USER,
        "to": "ada@example.com",
        "link_id": "link",
        "facts": {"address": "192.0.2.1"},
    }


def test_nothing_is_enqueued_by_a_transaction_that_rolls_back(database):
    def enqueue_and_fail() -> None:
        with database.transaction("write") as db:
            mails.enqueue(db, MailKind.ACCOUNT_EXISTS, user_id=USER, to="ada@example.com", now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        enqueue_and_fail()

    assert lease(database) is None


def test_the_longest_due_is_leased_first(database):
    enqueue(database, NOW, to="second@example.com")
    enqueue(database, NOW - SECOND, to="first@example.com")

    order = [leased(database).payload["to"] for _ in range(2)]

    assert order == ["first@example.com", "second@example.com"]


def test_a_leased_row_is_nobody_elses_until_the_lease_ends(database):
    enqueue(database)
    leased(database)

    assert lease(database, NOW + MINUTE - SECOND) is None
    assert leased(database, NOW + MINUTE).attempts == 2


def test_what_is_delivered_is_never_leased_again(database):
    enqueue(database)
    item = leased(database)

    with database.transaction("write") as db:
        outbox.delivered(db, item, NOW)

    assert lease(database, NOW + DAY) is None
    with database.transaction("read") as db:
        assert outbox.pending_by_queue(db)[outbox.Queue.MAIL] == 0


def test_the_pauses_after_failures_double_up_to_a_quarter_of_an_hour(database):
    enqueue(database)
    now, pauses = NOW, []

    for _ in range(10):
        item = leased(database, now)
        with database.transaction("write") as db:
            assert not outbox.failed(db, item, "busy", now)
        due = rows(database)[0].next_attempt_at
        pauses.append((due - now) // SECOND)
        now = due

    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert rows(database)[0].last_error == "busy"


def test_after_the_last_attempt_a_row_is_given_up_and_says_why(database):
    enqueue(database)
    now = NOW
    for _ in range(outbox.MAX_ATTEMPTS - 1):
        item = leased(database, now)
        with database.transaction("write") as db:
            outbox.failed(db, item, "busy", now)
        now = rows(database)[0].next_attempt_at

    item = leased(database, now)
    with database.transaction("write") as db:
        assert outbox.failed(db, item, "still busy", now)

    assert lease(database, now + DAY) is None
    row = rows(database)[0]
    assert (row.given_up_at, row.last_error, row.delivered_at) == (now, "still busy", None)
    with database.transaction("read") as db:
        assert outbox.pending_by_queue(db)[outbox.Queue.MAIL] == 0
        assert outbox.given_up_count(db, now - SECOND) == 1
        assert outbox.given_up_count(db, now) == 0


def test_one_attempt_after_another_goes_on_for_about_a_day():
    pauses = [min(5 * 2**attempt, 900) for attempt in range(outbox.MAX_ATTEMPTS - 1)]

    assert 20 * 3600 < sum(pauses) < 30 * 3600


def test_who_lost_the_lease_cannot_postpone_or_give_up_but_can_still_deliver(database):
    enqueue(database)
    late = leased(database, NOW)
    leased(database, NOW + MINUTE)

    with database.transaction("write") as db:
        outbox.failed(db, late, "late", NOW + 3 * DAY)
        assert not outbox.give_up(db, late, "late", NOW)

    assert leased(database, NOW + 2 * MINUTE).attempts == 3
    with database.transaction("write") as db:
        outbox.delivered(db, late, NOW)
    assert lease(database, NOW + DAY) is None


def test_pruning_removes_what_was_done_a_week_ago_and_nothing_else(database):
    for age in (8, 6):
        enqueue(database, NOW - age * DAY)
        with database.transaction("write") as db:
            outbox.delivered(db, leased_in(db, NOW - age * DAY), NOW - age * DAY)
    for age in (31, 29):
        enqueue(database, NOW - age * DAY)
        with database.transaction("write") as db:
            outbox.give_up(db, leased_in(db, NOW - age * DAY), "refused", NOW - age * DAY)
    enqueue(database, NOW - 40 * DAY)

    with database.transaction("write") as db:
        assert outbox.prune(db, NOW, 1) == 1
        assert outbox.prune(db, NOW, 10) == 1
        assert outbox.prune(db, NOW, 10) == 0

    assert sorted((NOW - row.created_at) // DAY for row in rows(database)) == [6, 29, 40]


def leased_in(db: Transaction, now: datetime) -> OutboxItem:
    item = outbox.lease(db, now, MINUTE)
    assert item is not None
    return item


@pytest.mark.race
@pytest.mark.slow
def test_of_two_processes_at_once_each_gets_other_rows_and_together_all(database):
    for number in range(60):
        enqueue(database, to=f"{number}@example.com")

    leased_by_each = race(lease_all, database)

    assert sorted(leased_by_each[0] + leased_by_each[1]) == sorted(
        row.payload["to"] for row in rows(database)
    )


def lease_all(database: Database, _name: str) -> list[str]:
    got = []
    while (item := lease(database)) is not None:
        got.append(item.payload["to"])
    return got


def test_what_waits_by_a_clock_that_was_set_back_is_due_again(database):
    enqueue(database, NOW + DAY, "tried@example.com")
    item = leased(database, NOW + DAY)
    with database.transaction("write") as db:
        outbox.failed(db, item, "away", NOW + DAY)
    enqueue(database, NOW + DAY, "new@example.com")
    assert lease(database) is None

    with database.transaction("write") as db:
        assert outbox.hasten(db, NOW) == 2

    assert {leased(database).payload["to"] for _ in range(2)} == {
        "tried@example.com",
        "new@example.com",
    }


def test_what_waits_by_a_clock_that_is_right_goes_on_waiting(database):
    enqueue(database)
    leased(database)

    with database.transaction("write") as db:
        assert outbox.hasten(db, NOW) == 0
    assert lease(database) is None
