"""Where work waits: in which order it goes on, and who is told to come back instead."""

import asyncio
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import literal_column, select, text

from oidc_server.database import Database, Statement, Transaction
from oidc_server.outbound.breaker import Breaker
from oidc_server.web.load import lanes
from oidc_server.web.load.database_lanes import PostgresqlLane, SqliteLane
from oidc_server.web.load.gate import OverloadedError
from oidc_server.web.load.lanes import HashingBusyError, HashingLane, ThreadPool

LONG = 60.0
SHORT = 0.1
PATIENCE = 60.0

NAMES = Statement(select(literal_column("name")).select_from(text("names")))

Write = Callable[[], None]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'lanes.db'}")
    with database.transaction("write") as db:
        db.session.execute(text("CREATE TABLE names (name TEXT)"))
    yield database
    database.close()


def writing(database: Database, name: str) -> Write:
    def write() -> None:
        with database.transaction("write") as db:
            db.session.execute(text("INSERT INTO names VALUES (:name)"), {"name": name})

    return write


def written(database: Database) -> list[str]:
    with database.transaction("read") as db:
        return list(db.session.scalars(text("SELECT name FROM names ORDER BY rowid")))


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """As another process would."""
    with closing(sqlite3.connect(str(database.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_programs_that_wait_for_the_lock_go_before_people_who_have_a_turn_too(
    database: Database,
) -> None:
    async def everybody() -> None:
        lane = SqliteLane(database, LONG)
        people = [
            lane.run(writing(database, f"person {number}"), for_people=True) for number in range(3)
        ]
        programs = [lane.run(writing(database, f"program {number}")) for number in range(6)]
        with locked(database):
            waiting = [asyncio.ensure_future(one) for one in (*people, *programs)]
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE)

    asyncio.run(everybody())

    order = [name.split()[0] for name in written(database)]
    assert order.count("program") == 6
    assert order.count("person") == 3
    assert order.index("person") == 3
    assert order[-1] == "person"


def test_readers_and_the_event_loop_go_on_while_writers_wait_for_the_lock(
    database: Database,
) -> None:
    async def reader_beside_a_writer() -> list[str]:
        lane = SqliteLane(database, LONG)
        with locked(database):
            writer = asyncio.ensure_future(lane.run(writing(database, "late")))
            await asyncio.sleep(SHORT)
            seen = await lane.run(lambda: written(database), "read")
            assert not writer.done()
        await asyncio.wait_for(writer, PATIENCE)
        return seen

    assert asyncio.run(reader_beside_a_writer()) == []
    assert written(database) == ["late"]


def test_who_might_write_but_only_reads_waits_for_no_lock(database: Database) -> None:
    def reading() -> int:
        with database.transaction("write") as db:
            return len(db.all(NAMES))

    async def beside_writers() -> int:
        lane = SqliteLane(database, LONG)
        with locked(database):
            writer = asyncio.ensure_future(lane.run(writing(database, "late")))
            await asyncio.sleep(SHORT)
            seen = await asyncio.wait_for(lane.run(reading), PATIENCE)
            assert not writer.done()
        await asyncio.wait_for(writer, PATIENCE)
        return seen

    assert asyncio.run(beside_writers()) == 0


def test_a_queue_whose_first_has_waited_too_long_takes_nobody_else(database: Database) -> None:
    async def one_too_late() -> None:
        lane = SqliteLane(database, SHORT)
        with locked(database):
            first = asyncio.ensure_future(lane.run(writing(database, "first")))
            await asyncio.sleep(2 * SHORT)
            with pytest.raises(OverloadedError):
                await lane.run(writing(database, "too late"))
        await asyncio.wait_for(first, PATIENCE)
        await lane.run(writing(database, "again"))

    asyncio.run(one_too_late())

    assert written(database) == ["first", "again"]


def test_a_queue_that_is_full_takes_nobody_else(database: Database) -> None:
    async def a_crowd() -> list[Any]:
        lane = SqliteLane(database, LONG)
        with locked(database):
            crowd = [
                asyncio.ensure_future(lane.run(writing(database, str(number))))
                for number in range(150)
            ]
            await asyncio.sleep(0)
        return list(await asyncio.gather(*crowd, return_exceptions=True))

    outcomes = asyncio.run(a_crowd())

    refused = [one for one in outcomes if isinstance(one, OverloadedError)]
    assert len(refused) == 50
    assert len(written(database)) == 100


def test_nothing_is_written_for_who_has_gone(database: Database) -> None:
    async def one_goes() -> None:
        lane = SqliteLane(database, LONG)
        with locked(database):
            gone = asyncio.ensure_future(lane.run(writing(database, "gone")))
            stays = asyncio.ensure_future(lane.run(writing(database, "stays")))
            await asyncio.sleep(0)
            gone.cancel()
        await asyncio.wait_for(stays, PATIENCE)

    asyncio.run(one_goes())

    assert written(database) == ["stays"]


def leaving_what_fails(db: Transaction) -> None:
    db.afterwards(lambda: next(iter(())))


def taking_one_too_many(db: Transaction) -> None:
    next(iter(()))


@pytest.mark.parametrize("fails", [leaving_what_fails, taking_one_too_many])
def test_those_who_wait_go_on_after_an_error_of_ours(
    database: Database, fails: Callable[[Transaction], None]
) -> None:
    def failing() -> None:
        with database.transaction("write") as db:
            db.session.execute(text("INSERT INTO names VALUES ('first')"))
            fails(db)

    async def one_after_the_other() -> Any:
        lane = SqliteLane(database, LONG)
        with locked(database):
            first = asyncio.ensure_future(lane.run(failing))
            await asyncio.sleep(SHORT)
        [outcome] = await asyncio.wait_for(asyncio.gather(first, return_exceptions=True), PATIENCE)
        await asyncio.wait_for(lane.run(writing(database, "next")), PATIENCE)
        return outcome

    outcome = asyncio.run(one_after_the_other())

    is_kept = fails is leaving_what_fails
    assert (outcome is None) == is_kept
    assert written(database) == (["first", "next"] if is_kept else ["next"])


def test_work_that_no_thread_was_free_for_in_time_is_not_done(database: Database) -> None:
    breaker = Breaker("database", failures=1, open_seconds=LONG, successes=1)

    async def two_jobs() -> list[Any]:
        goes_on = threading.Event()
        lane = PostgresqlLane(database, ThreadPool(1), breaker, LONG, SHORT)
        first = asyncio.ensure_future(lane.run(goes_on.wait))
        second = asyncio.ensure_future(lane.run(writing(database, "too late")))
        await asyncio.sleep(2 * SHORT)
        goes_on.set()
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        await lane.run(writing(database, "again"))
        lane.close()
        return list(outcomes)

    first, second = asyncio.run(two_jobs())

    assert first is True
    assert isinstance(second, OverloadedError)
    assert breaker.is_calm, "the database did nothing wrong"
    assert written(database) == ["again"]


def test_a_password_that_waited_too_long_is_not_hashed() -> None:
    async def two_passwords() -> list[Any]:
        lane, goes_on = HashingLane(1, 10, patience=SHORT), threading.Event()
        first = asyncio.ensure_future(lane.run(goes_on.wait))
        second = asyncio.ensure_future(lane.run(lambda: "hashed"))
        await asyncio.sleep(2 * SHORT)
        goes_on.set()
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        lane.close()
        return list(outcomes)

    first, second = asyncio.run(two_passwords())

    assert first is True
    assert isinstance(second, HashingBusyError)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_hashing_comes_after_everything_else() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def while_hashing() -> int:
        lane = HashingLane(concurrency=1, queue=0)
        try:
            return await lane.run(niceness)
        finally:
            lane.close()

    assert asyncio.run(while_hashing()) > niceness()


def test_threads_do_one_thing_each_while_the_event_loop_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "_MOST_WAIT", LONG)
    done: list[int] = []

    async def meanwhile(lane: ThreadPool, go_on: Callable[[], bool]) -> int:
        """How many were done while the event loop had something else to do."""
        before = len(done)
        waiting = [asyncio.create_task(lane.run(partial(done.append, one))) for one in range(20)]
        await asyncio.sleep(0)  # all of them are in the queue now
        end = time.monotonic() + PATIENCE
        while go_on() and time.monotonic() < end:
            time.sleep(0.001)  # noqa: ASYNC251 - it is the subject
        time.sleep(2 * SHORT)  # noqa: ASYNC251 - now it is late for all of them
        found = len(done) - before
        await asyncio.gather(*waiting)
        return found

    async def twice() -> tuple[int, int]:
        lane = ThreadPool(2)
        try:
            return await meanwhile(lane, lambda: len(done) < 20), await meanwhile(
                lane, lambda: False
            )
        finally:
            lane.close()

    on_time, late = asyncio.run(twice())

    assert on_time == 20
    assert late <= 2
    assert sorted(done) == sorted([*range(20)] * 2)
