"""What simultaneous requests write on SQLite: one commit, which each of them waits for."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Pool, event, text

from oidc_server.database import Database, DatabaseUnavailableError, Transaction
from oidc_server.web.load import database_lanes
from oidc_server.web.load.database_lanes import SqliteLane

LONG = 60.0
_TABLES = """
CREATE TABLE names (name TEXT PRIMARY KEY);
CREATE TABLE people (name TEXT REFERENCES names(name) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE large (body BLOB);
"""
_OUTSIDE = ("COMMIT", "ROLLBACK", "BEGIN")

Work = Callable[[Transaction], Any]


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What SQLite was told, over all connections."""
    told: list[str] = []

    def watch(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(told.append)

    event.listen(Pool, "connect", watch)
    yield told
    event.remove(Pool, "connect", watch)


@pytest.fixture(autouse=True)
def long_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr(database_lanes, "_AT_A_TIME", LONG)


@pytest.fixture
def database(tmp_path: Path, statements: list[str]) -> Iterator[Database]:
    with closing(sqlite3.connect(tmp_path / "together.db")) as made:
        made.executescript(_TABLES)
    database = Database(f"sqlite:///{tmp_path / 'together.db'}")
    with database.transaction("read") as db:
        db.session.execute(text("SELECT 1"))
    statements.clear()
    yield database
    database.close()


def adding(name: str, *, fails: bool = False) -> Work:
    def add(db: Transaction) -> str:
        db.session.execute(text("INSERT INTO names VALUES (:name)"), {"name": name})
        if fails:
            raise ValueError(name)
        return name

    return add


def adding_a_stranger(db: Transaction) -> None:
    """SQLite finds out at the commit that nobody has this name."""
    db.session.execute(text("INSERT INTO people VALUES ('nobody')"))


def adding_too_much(db: Transaction) -> None:
    """SQLite then rolls back everything: there is no room for more than a few pages."""
    db.session.execute(text("INSERT INTO large VALUES (zeroblob(10000000))"))


def reading(db: Transaction) -> list[str]:
    return list(db.session.scalars(text("SELECT name FROM names ORDER BY rowid")))


def together(database: Database, *works: Work) -> list[Any]:
    """What each gets, or its error, when all of them begin in one turn of the event loop."""

    def unit(work: Work) -> Callable[[], Any]:
        def run() -> Any:
            with database.transaction("write") as db:
                return work(db)

        return run

    async def all_of_them() -> list[Any]:
        lane = SqliteLane(database, LONG)
        asked = [lane.run(unit(work)) for work in works]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    return asyncio.run(all_of_them())


def seen_by_others(database: Database) -> list[str]:
    with closing(sqlite3.connect(str(database.engine.url.database))) as other:
        return [name for (name,) in other.execute("SELECT name FROM names ORDER BY rowid")]


def test_what_is_written_at_once_is_committed_once(
    database: Database, statements: list[str]
) -> None:
    assert together(database, *map(adding, "abcdef")) == list("abcdef")

    assert [sql for sql in statements if sql.startswith(_OUTSIDE)] == ["BEGIN IMMEDIATE", "COMMIT"]
    assert seen_by_others(database) == list("abcdef")


def test_others_do_not_wait_long_for_the_commit(
    database: Database, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, later = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now() + later[0])

    def adding_slowly(db: Transaction) -> str:
        name: str = adding("slow")(db)
        later[0] += 2 * LONG
        return name

    assert together(database, adding_slowly, adding("a"), adding("b")) == ["slow", "a", "b"]

    ended = [sql for sql in statements if sql.startswith(_OUTSIDE)]
    assert ended == ["BEGIN IMMEDIATE", "COMMIT"] * 2


def test_nobody_is_answered_before_it_is_committed(database: Database) -> None:
    async def first_to_be_answered() -> list[str]:
        lane = SqliteLane(database, LONG)

        async def ask(name: str) -> list[str]:
            def run() -> None:
                with database.transaction("write") as db:
                    adding(name)(db)

            await lane.run(run)
            return seen_by_others(database)

        first, _ = await asyncio.gather(ask("a"), ask("b"))
        return first

    assert asyncio.run(first_to_be_answered()) == ["a", "b"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_fails_undoes_nothing_that_others_write(database: Database, place: int) -> None:
    works = [adding("a"), adding("b")]
    works.insert(place, adding("c", fails=True))

    outcomes = together(database, *works)

    failed = outcomes.pop(place)
    assert isinstance(failed, ValueError)
    assert outcomes == ["a", "b"]
    assert seen_by_others(database) == ["a", "b"]


def test_all_are_refused_when_the_commit_fails_even_who_only_read(database: Database) -> None:
    outcomes = together(database, adding("a"), adding_a_stranger, reading)

    assert [type(one) for one in outcomes] == [DatabaseUnavailableError] * 3
    assert seen_by_others(database) == []
    assert together(database, adding("b"), reading) == ["b", ["b"]]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_disk_that_is_full_leaves_nobody_half_served(database: Database, place: int) -> None:
    with database.transaction("read") as db:
        db.session.execute(text("PRAGMA max_page_count=100"))
    works = [adding("a"), adding("b")]
    works.insert(place, adding_too_much)

    outcomes = together(database, *works)

    refused = outcomes.pop(place)
    assert isinstance(refused, DatabaseUnavailableError)
    kept = [one for one in outcomes if not isinstance(one, DatabaseUnavailableError)]
    assert seen_by_others(database) == kept


def test_what_cannot_be_undone_alone_is_undone_with_all_others(database: Database) -> None:
    def losing_its_savepoint(db: Transaction) -> None:
        adding("c")(db)
        db.session.execute(text("RELEASE part"))
        raise ValueError

    first, failed, last = together(database, adding("a"), losing_its_savepoint, adding("b"))

    assert isinstance(first, DatabaseUnavailableError)
    assert isinstance(failed, ValueError)
    assert last == "b"
    assert seen_by_others(database) == ["b"]


def test_what_only_reads_takes_part_in_no_commit(database: Database, statements: list[str]) -> None:
    together(database, adding("a"))
    statements.clear()

    def read(db: Transaction) -> list[str]:
        return [row.name for row in db.session.execute(text("SELECT name FROM names"))]

    async def reads() -> list[str]:
        lane = SqliteLane(database, LONG)

        def run() -> list[str]:
            with database.transaction("read") as db:
                return read(db)

        return await lane.run(run)

    assert asyncio.run(reads()) == ["a"]
    assert "BEGIN IMMEDIATE" not in statements


def test_what_is_done_elsewhere_in_the_thread_is_no_part_of_it(database: Database) -> None:
    """Such as at the start and the end of the process."""

    async def between() -> list[str]:
        lane = SqliteLane(database, LONG)

        def run() -> None:
            with database.transaction("write") as db:
                adding("a")(db)

        asked = asyncio.ensure_future(lane.run(run))
        await asyncio.sleep(0)
        with database.transaction("write") as db:
            adding("b")(db)
        seen = seen_by_others(database)
        await asked
        return seen

    assert asyncio.run(between()) == ["a", "b"]


def test_what_is_left_for_afterwards_is_done_once_all_is_committed_or_never(
    database: Database,
) -> None:
    told: list[list[str]] = []

    def adding_and_telling(db: Transaction) -> None:
        adding("a")(db)
        db.afterwards(lambda: told.append(seen_by_others(database)))

    together(database, adding_and_telling, adding("b"))
    together(database, adding_and_telling, adding_a_stranger)

    assert told == [["a", "b"]]


def test_what_fails_afterwards_keeps_nobody_elses_from_being_done(database: Database) -> None:
    told: list[str] = []

    def leaving_what_fails(db: Transaction) -> None:
        adding("a")(db)
        db.afterwards(lambda: told.remove("nothing"))

    def leaving_something(db: Transaction) -> None:
        adding("b")(db)
        db.afterwards(lambda: told.append("b"))

    assert together(database, leaving_what_fails, leaving_something) == [None, None]

    assert told == ["b"]
