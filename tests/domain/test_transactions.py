"""When the database is told that a transaction begins, and what it takes along."""

import re
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import DBAPIError, IntegrityError

from oidc_server.app import create_app
from oidc_server.database import Database, Statement, Transaction
from oidc_server.database.statements import Compiled
from oidc_server.domain.base import table_of
from oidc_server.domain.leases import Lease
from tests.costs.counting import Counter, counting
from tests.domain.conftest import NOW
from tests.held_up import held_up

leases = table_of(Lease)
PUT = Statement(
    insert(leases).values(
        name=bindparam("name"), holder=bindparam("holder"), expires_at=bindparam("expires_at")
    )
)
PASS_ON = Statement(
    update(leases)
    .where(leases.c.name == bindparam("lease"))
    .values(holder=bindparam("next_holder"))
)
HOLDER = Statement(select(leases.c.holder).where(leases.c.name == bindparam("lease")))
HOLDERS = Statement(select(leases.c.holder).order_by(leases.c.name))
WRITES_OR_LOCKS = re.compile(r"\b(INSERT|UPDATE|DELETE|SHARE)\b")


def put(database: Database, name: str) -> None:
    with database.transaction("write") as db:
        db.run(PUT, name=name, holder=name, expires_at=NOW)


def test_what_was_committed_meanwhile_is_seen_before_anything_is_written(
    database: Database,
) -> None:
    with database.transaction("write") as db:
        before = db.all(HOLDERS)
        other = threading.Thread(target=put, args=(database, "other"))
        other.start()
        other.join(10)  # it waits for nobody who has only read
        after = db.all(HOLDERS)

    assert (before, [row.holder for row in after]) == ([], ["other"])


def test_what_the_database_rolled_back_itself_leaves_nothing_for_the_next_to_find(
    database: Database,
) -> None:
    """As SQLite does where the disk is full."""
    with suppress(MemoryError), database.transaction("write") as db:
        connection = db.session.connection()
        connection.exec_driver_sql("ROLLBACK")
        raise MemoryError

    assert not connection.in_transaction()


def test_everything_from_the_first_write_on_happens_or_nothing(database: Database) -> None:
    def fail() -> None:
        with database.transaction("write") as db:
            db.all(HOLDERS)
            db.run(PUT, name="first", holder="ada", expires_at=NOW)
            assert db.session.get(Lease, "first") is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with database.transaction("read") as db:
        assert db.all(HOLDERS) == []


def test_a_session_that_only_reads_waits_for_no_writer(database: Database) -> None:
    seen: list[str] = []

    def read() -> None:
        with database.transaction("read") as db:
            seen.extend(db.session.scalars(select(leases.c.holder)))

    with database.transaction("write") as db:
        db.run(PUT, name="unseen", holder="unseen", expires_at=NOW)
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(4)
        is_waiting = reader.is_alive()

    reader.join(10)
    assert (is_waiting, seen) == (False, [])


def test_the_session_and_statements_commit_together(database: Database) -> None:
    with database.transaction("write") as db:
        db.session.add(Lease(name="a", holder="session", expires_at=NOW))
        db.run(PUT, name="b", holder="statement", expires_at=NOW)

    with database.transaction("read") as db:
        assert [row.holder for row in db.all(HOLDERS)] == ["session", "statement"]


def test_a_failure_that_nobody_handed_on_is_not_taken_for_a_success(database: Database) -> None:
    put(database, "taken")

    def swallow() -> None:
        with database.transaction("write") as db:
            db.run(PUT, name="mine", holder="ada", expires_at=NOW)
            with pytest.raises(DBAPIError):
                db.run(PUT, name="taken", holder="ada", expires_at=NOW)

    if database.is_sqlite:  # where a statement that fails ends nothing else
        swallow()
    else:
        with pytest.raises(RuntimeError, match="nothing was committed"):
            swallow()

    put(database, "another")  # the connection is as good as before


def test_a_lock_that_is_there_is_not_asked_for_once_more(database: Database) -> None:
    counter, url = Counter(), database.engine.url.render_as_string(hide_password=False)

    with counting(counter), closing(Database(url)) as watched:
        with watched.transaction("write") as db:
            db.lock("something")
            counter.begin()
            db.lock("something")
        asked = counter.statements

    assert asked == []


def test_a_lock_that_went_with_a_part_that_failed_is_taken_again(database: Database) -> None:
    def take() -> None:
        with database.transaction("write") as db:
            db.lock("something")

    with database.transaction("write") as db:
        with suppress(ZeroDivisionError), db.savepoint():
            db.lock("something")
            raise ZeroDivisionError
        db.lock("something")
        taking = held_up(take)

    taking()


def test_what_waits_is_done_before_whatever_is_asked_next(database: Database) -> None:
    with database.transaction("write") as db:
        db.later(PUT, name="a 100%; it's", holder="first; 100%", expires_at=NOW)
        db.later(PASS_ON, lease="a 100%; it's", next_holder="second")
        seen_by_statement = [row.holder for row in db.all(HOLDERS)]
        db.later(PUT, name="b", holder="third", expires_at=NOW)
        seen_by_session = list(db.session.scalars(select(leases.c.holder).order_by("name")))
        db.later(PUT, name="c", holder="fourth", expires_at=NOW)

    with database.transaction("read") as db:
        holders = [row.holder for row in db.all(HOLDERS)]
    assert seen_by_statement == ["second"]
    assert seen_by_session == ["second", "third"]
    assert holders == ["second", "third", "fourth"]


def test_what_waits_is_dropped_with_the_rest(database: Database) -> None:
    def fail(*, ask: bool) -> None:
        with database.transaction("write") as db:
            db.later(PUT, name="first", holder="ada", expires_at=NOW)
            if ask:
                db.all(HOLDERS)
            db.later(PUT, name="second", holder="ada", expires_at=NOW)
            raise ZeroDivisionError

    for ask in (False, True):
        with pytest.raises(ZeroDivisionError):
            fail(ask=ask)

    with database.transaction("read") as db:
        assert db.all(HOLDERS) == []


def test_what_is_wrong_with_one_that_waited_lets_nothing_be_committed(database: Database) -> None:
    put(database, "taken")

    def collide() -> None:
        with database.transaction("write") as db:
            db.later(PUT, name="mine", holder="ada", expires_at=NOW)
            db.later(PUT, name="taken", holder="ada", expires_at=NOW)

    with pytest.raises(IntegrityError) as raised:
        collide()

    assert "ada" not in str(raised.value)
    with database.transaction("read") as db:
        assert [row.holder for row in db.all(HOLDERS)] == ["taken"]


def test_what_waits_outlives_a_statement_that_cannot_be_prepared(database: Database) -> None:
    nowhere = Statement(text("SELECT holder FROM nowhere"))

    with database.transaction("write") as db:
        db.later(PUT, name="first", holder="ada", expires_at=NOW)
        with suppress(DBAPIError):
            db.all(nowhere)

    with database.transaction("read") as db:
        assert [row.holder for row in db.all(HOLDERS)] == ["ada"]


def test_the_last_write_takes_what_waits_along_and_nothing_comes_after(database: Database) -> None:
    put(database, "a")

    with database.transaction("write") as db:
        db.later(PUT, name="b", holder="second", expires_at=NOW)
        changed = db.conclude(PASS_ON, lease="a", next_holder="first")
        seen = [row.holder for row in db.all(HOLDERS)]
        for write in (db.run, db.later):
            with pytest.raises(RuntimeError):
                write(PASS_ON, lease="a", next_holder="too late")

    with database.transaction("read") as db:
        holders = [row.holder for row in db.all(HOLDERS)]
    assert (changed, seen, holders) == (1, ["first", "second"], ["first", "second"])


def test_after_a_last_write_that_changed_nothing_a_refusal_is_written(database: Database) -> None:
    with database.transaction("write") as db:
        changed = db.conclude(PASS_ON, lease="nobody's", next_holder="ada")
        db.later(PUT, name="refusal", holder="written", expires_at=NOW)

    with database.transaction("read") as db:
        holders = [row.holder for row in db.all(HOLDERS)]
    assert (changed, holders) == (0, ["written"])


@pytest.mark.parametrize("before", ["nothing", "a statement", "the session"])
def test_a_last_write_that_fails_takes_with_it_all_that_was_before(
    database: Database, before: str
) -> None:
    put(database, "taken")

    def collide() -> None:
        with database.transaction("write") as db:
            if before == "a statement":
                db.run(PUT, name="first", holder="ada", expires_at=NOW)
            if before == "the session":
                db.session.add(Lease(name="first", holder="ada", expires_at=NOW))
            db.later(PUT, name="second", holder="ada", expires_at=NOW)
            db.conclude(PUT, name="taken", holder="ada", expires_at=NOW)

    with pytest.raises(IntegrityError):
        collide()

    with database.transaction("read") as db:
        assert [row.holder for row in db.all(HOLDERS)] == ["taken"]


def test_after_a_last_write_that_failed_nothing_is_written(database: Database) -> None:
    put(database, "taken")

    def go_on() -> None:
        with database.transaction("write") as db:
            with suppress(IntegrityError):
                db.conclude(PUT, name="taken", holder="ada", expires_at=NOW)
            db.run(PUT, name="mine", holder="ada", expires_at=NOW)

    with pytest.raises(RuntimeError):
        go_on()

    with database.transaction("read") as db:
        assert [row.holder for row in db.all(HOLDERS)] == ["taken"]


@pytest.mark.parametrize("change", ["run", "later", "lock", "session"])
def test_a_primed_row_answers_once_and_never_after_a_write(database: Database, change: str) -> None:
    put(database, "a")
    changes: dict[str, Callable[[Transaction], object]] = {
        "run": lambda db: db.run(PASS_ON, lease="a", next_holder="later"),
        "later": lambda db: db.later(PASS_ON, lease="a", next_holder="later"),
        "lock": lambda db: db.lock("a"),
        "session": lambda db: db.session,
    }

    with database.transaction("write") as db:
        db.prime(HOLDER, ("known",), lease="a")
        answers = [db.first(HOLDER, lease=name).holder for name in "aa"]
        db.prime(HOLDER, None, lease="a")
        absent = db.first(HOLDER, lease="a")
        db.prime(HOLDER, ("known",), lease="a")
        changes[change](db)
        afterwards = db.first(HOLDER, lease="a").holder

    assert answers == ["known", "a"]
    assert absent is None
    assert afterwards == ("later" if change in ("run", "later") else "a")


def test_a_primed_row_answers_no_other_parameters(database: Database) -> None:
    put(database, "b")

    with database.transaction("read") as db:
        db.prime(HOLDER, ("known",), lease="a")
        other = db.first(HOLDER, lease="b")

    assert other.holder == "b"


def test_what_is_taken_for_reading_only_is_that() -> None:
    assert create_app is not None  # all modules with statements are loaded
    dialect = PGDialect_psycopg2()

    ours = [module for name, module in sys.modules.items() if name.startswith("oidc_server.")]
    constants = [constant for module in ours for constant in vars(module).values()]
    held = [
        one
        for constant in constants
        for one in (constant.values() if isinstance(constant, dict) else (constant,))
    ]
    found = {one for one in held if isinstance(one, Statement)}
    compiled = [(one.title, Compiled(one.core, dialect, one.name)) for one in found]
    differ = [
        title for title, one in compiled if one.only_reads == bool(WRITES_OR_LOCKS.search(one.sql))
    ]

    assert len(found) > 200
    assert differ == []
