"""Counts what an operation asks of the database, and how often it leaves the event loop."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg2.extensions  # type: ignore[import-untyped]
from sqlalchemy import Pool, event

from tests.site import Site

_OF_TRANSACTIONS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_ONCE_PER_CONNECTION = ("PREPARE", "PRAGMA")
_WRITING = ("INSERT", "UPDATE", "DELETE")
_TOGETHER = re.compile(r";(?=(?:EXECUTE|SELECT|INSERT|SAVEPOINT|COMMIT)\b|$)")
"""Between statements that go to PostgreSQL in one trip."""


@dataclass(frozen=True)
class Cost:
    """What one operation takes.

    `statements` without those that begin and end `transactions`, of which those that only read, and
    those of one statement, have none; `rows` inserted, changed or deleted; `hops` from the event
    loop to another thread and back; `trips` to PostgreSQL and back.
    """

    transactions: int
    statements: int
    rows: int
    hops: int
    trips: int = 0


@dataclass
class Counter:
    """What the connections and the event loop of one server have been told since `begin`."""

    connections: list[sqlite3.Connection] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    _transactions: int = 0
    _rows: int = 0
    _hops: int = 0
    _trips: int = 0
    _rows_before: int = 0

    def begin(self) -> None:
        self.statements.clear()
        self._transactions = self._rows = self._hops = self._trips = 0
        self._rows_before = self._rows_of_sqlite()

    def cost(self) -> Cost:
        rows = self._rows + self._rows_of_sqlite() - self._rows_before
        return Cost(self._transactions, len(self.statements), rows, self._hops, self._trips)

    def note(self, sql: str) -> None:
        """A statement as the driver got it; SQLite tells of those inside triggers as comments."""
        verb = sql.lstrip().split(None, 1)[0].upper()
        self._transactions += verb == "BEGIN"
        if verb not in (*_OF_TRANSACTIONS, *_ONCE_PER_CONNECTION) and not verb.startswith("--"):
            self.statements.append(sql)

    def note_result(self, status: str | None) -> None:
        """What PostgreSQL said of it, such as `INSERT 0 1`."""
        words = (status or "").split()
        if words and words[0] in _WRITING:
            self._rows += int(words[-1])

    def note_trip(self, sql: str) -> None:
        self._trips += not sql.startswith(_ONCE_PER_CONNECTION)

    def note_hop(self) -> None:
        self._hops += 1

    def _rows_of_sqlite(self) -> int:
        rows = 0
        for connection in self.connections:
            with suppress(sqlite3.ProgrammingError):  # it has been closed: it writes no more
                rows += connection.total_changes
        return rows


@contextmanager
def counting(counter: Counter) -> Iterator[None]:
    """Count what passes over every connection that is made meanwhile, for its whole life."""

    class CountingCursor(psycopg2.extensions.cursor):  # type: ignore[misc]
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - the driver's name
            sent = query if isinstance(query, str) else query.decode()
            counter.note_trip(sent)
            for part in filter(None, _TOGETHER.split(sent)):  # each has rows to tell of
                counter.note(part)
                super().execute(part, vars)
                counter.note_result(self.statusmessage)

    def watch(connection: Any, _record: object) -> None:
        if isinstance(connection, psycopg2.extensions.connection):
            connection.cursor_factory = CountingCursor
        else:
            connection.set_trace_callback(counter.note)
            counter.connections.append(connection)

    event.listen(Pool, "connect", watch)
    try:
        yield
    finally:
        event.remove(Pool, "connect", watch)


def count_hops(site: Site, counter: Counter) -> None:
    """Count every answer that comes to the event loop of the site from a thread of ours.

    Whatever kind of thread does the work, it comes back that way.
    """
    loop: Any = site.http.portal.call(_running_loop)  # type: ignore[union-attr]
    known = {threading.get_ident(), site.http.portal.call(_thread)}  # type: ignore[union-attr]
    come_back: Callable[..., Any] = loop.call_soon_threadsafe

    def counted(*arguments: Any, **options: Any) -> Any:
        if threading.get_ident() not in known:
            counter.note_hop()
        return come_back(*arguments, **options)

    loop.call_soon_threadsafe = counted


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def _thread() -> int:
    return threading.get_ident()
