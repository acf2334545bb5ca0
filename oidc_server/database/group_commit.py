"""One commit for what several requests write: SQLite waits for the disk once for all of them."""

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection, RootTransaction

from oidc_server.database.errors import DatabaseBusyError, DatabaseUnavailableError
from oidc_server.database.watch import Watch

_log = logging.getLogger(__name__)

Outcome = Callable[[DatabaseUnavailableError | None], object]
"""Is called with None once everything is committed, or with why nothing is."""


class Bounds(NamedTuple):
    """What begins a transaction, or its part in a group; what ends it, and what undoes it."""

    begin: str
    end: str | None
    undo: tuple[str, ...]


ALONE = Bounds("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_FIRST = Bounds("BEGIN IMMEDIATE", None, ("ROLLBACK",))
_FURTHER = Bounds("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))


class GroupCommit:
    """Transactions of one thread that SQLite commits together.

    The first that writes begins; each further one is a savepoint, so that it can fail alone. While
    the group `is_open`, they and all that only read see what is not committed yet: nobody may be
    told anything of it before `commit`, since it may come to nothing.
    """

    __slots__ = (
        "_afterwards",
        "_connection",
        "_memory",
        "_waiting",
        "_watch",
        "may_begin",
        "of_session",
        "since",
        "takes_more",
    )

    def __init__(self, memory: dict[str, Any], watch: Watch | None) -> None:
        """`memory` is what the process keeps beside the database: nothing of a failed group."""
        self._memory = memory
        self._watch = watch
        self._connection: Connection | None = None
        self.takes_more = False
        """Whether transactions that begin now take part in it."""
        self.may_begin = True
        """Whether they may begin one. If not they find the database busy, and it is not asked."""
        self.of_session: RootTransaction | None = None
        """SQLAlchemy's own idea of it, if a session took part."""
        self.since = 0.0
        """When it was begun, in seconds of the monotonic clock."""
        self._waiting: list[Outcome] = []
        self._afterwards: list[Callable[[], object]] = []

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def bounds(self) -> Bounds:
        """Of the next transaction; raises `DatabaseBusyError` if it may not begin."""
        if self._connection is not None:
            return _FURTHER
        if not self.may_begin:
            raise DatabaseBusyError("others wait for the lock")
        return _FIRST

    def begun(self, connection: Connection) -> None:
        """Called by each transaction that has begun."""
        if self._connection is None:
            self._connection, self.since = connection, time.monotonic()

    def tell(self, outcome: Outcome) -> None:
        """Call `outcome` when the group that is open has ended."""
        self._waiting.append(outcome)

    def afterwards(self, work: Callable[[], object]) -> None:
        """Do something once it is committed, or never."""
        self._afterwards.append(work)

    def commit(self) -> None:
        """Commit what is open, if anything. Whoever waits is told of a failure: none is raised."""
        if self._connection is None:
            return
        driver = _driver(self._connection)
        try:
            with nullcontext() if self._watch is None else self._watch.timing("commit"):
                driver.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # it may have rolled back by itself
                driver.execute("ROLLBACK")
            self._end(DatabaseUnavailableError(type(error).__name__))
        else:
            self._end(None)

    def rolled_back(self, *, is_undone: bool) -> None:
        """Called by each transaction that has failed.

        With the first, there is no group any more. SQLite rolls back everything by itself when the
        disk is full, for instance: then all others are lost too, as they are with one that could
        not be undone alone.
        """
        if self._connection is None:
            return
        driver = _driver(self._connection)
        if not is_undone:
            with suppress(sqlite3.Error):
                driver.execute("ROLLBACK")
        if not driver.in_transaction:
            self._end(DatabaseUnavailableError("what was written with it could not be"))

    def _end(self, failure: DatabaseUnavailableError | None) -> None:
        self._connection = None
        of_session, self.of_session = self.of_session, None
        waiting, self._waiting = self._waiting, []
        afterwards, self._afterwards = self._afterwards, []
        if of_session is not None:
            of_session.close()
        if failure is not None and waiting:
            self._memory.clear()  # it may be of what never was
        for outcome in waiting:
            outcome(failure)
        if failure is None:
            for work in afterwards:
                _do(work)


def _do(work: Callable[[], object]) -> None:
    """All is committed and told: what fails here must end neither the others nor the lane."""
    try:
        work()
    except Exception:  # noqa: BLE001 - see above
        _log.exception("work after a commit failed")


def _driver(connection: Connection) -> Any:
    pooled: Any = connection.connection
    return pooled.dbapi_connection
