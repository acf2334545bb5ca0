"""Group commit for SQLite: what several requests write is committed, and synced to disk, once."""

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
"""Called with None after the commit of the group, or with the error after its rollback."""


class Bounds(NamedTuple):
    """The SQL that begins, ends and rolls back a transaction, or its savepoint in a group."""

    begin: str
    end: str | None
    undo: tuple[str, ...]


ALONE = Bounds("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_FIRST = Bounds("BEGIN IMMEDIATE", None, ("ROLLBACK",))
_FURTHER = Bounds("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))


class GroupCommit:
    """Transactions of one thread that SQLite commits together (ADR 0027).

    The first one that writes sends `BEGIN`; each further one is a savepoint, so that it can be
    rolled back alone. While the group `is_open`, everything on this connection reads uncommitted
    data: no response may be sent before `commit`, not even one that only read.
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
        """`memory` is that of the transactions: the caches that a failed group may have filled."""
        self._memory = memory
        self._watch = watch
        self._connection: Connection | None = None
        self.takes_more = False
        """Whether transactions that begin now join the group."""
        self.may_begin = True
        """Whether they may open the group; if not, they get `DatabaseBusyError` at once."""
        self.of_session: RootTransaction | None = None
        """SQLAlchemy's transaction around the group, if a session took part."""
        self.since = 0.0
        """When the group was opened, by `time.monotonic`."""
        self._waiting: list[Outcome] = []
        self._afterwards: list[Callable[[], object]] = []

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def bounds(self) -> Bounds:
        """The SQL of the next transaction; raises `DatabaseBusyError` if it may not begin."""
        if self._connection is not None:
            return _FURTHER
        if not self.may_begin:
            raise DatabaseBusyError("other requests wait for the write lock")
        return _FIRST

    def begun(self, connection: Connection) -> None:
        """Called by each transaction after it has sent its `begin`."""
        if self._connection is None:
            self._connection, self.since = connection, time.monotonic()

    def tell(self, outcome: Outcome) -> None:
        """Call `outcome` when the open group has been committed or rolled back."""
        self._waiting.append(outcome)

    def afterwards(self, work: Callable[[], object]) -> None:
        """Call `work` after the commit; not at all after a rollback."""
        self._afterwards.append(work)

    def commit(self) -> None:
        """Commit the group if it is open. An error is not raised, but given to every `Outcome`."""
        if self._connection is None:
            return
        driver = _driver(self._connection)
        try:
            with nullcontext() if self._watch is None else self._watch.timing("commit"):
                driver.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # SQLite may have rolled back already
                driver.execute("ROLLBACK")
            self._end(DatabaseUnavailableError(type(error).__name__))
        else:
            self._end(None)

    def rolled_back(self, *, is_undone: bool) -> None:
        """Called by each transaction after its rollback; `is_undone` says whether that worked.

        The whole group has failed if the first one did, if a savepoint could not be rolled back, or
        if SQLite has rolled back everything by itself, as it does when the disk is full.
        """
        if self._connection is None:
            return
        driver = _driver(self._connection)
        if not is_undone:
            with suppress(sqlite3.Error):
                driver.execute("ROLLBACK")
        if not driver.in_transaction:
            self._end(DatabaseUnavailableError("the group commit was rolled back"))

    def _end(self, failure: DatabaseUnavailableError | None) -> None:
        self._connection = None
        of_session, self.of_session = self.of_session, None
        waiting, self._waiting = self._waiting, []
        afterwards, self._afterwards = self._afterwards, []
        if of_session is not None:
            of_session.close()
        if failure is not None and waiting:
            self._memory.clear()  # it may hold what was rolled back
        for outcome in waiting:
            outcome(failure)
        if failure is None:
            for work in afterwards:
                _do(work)


def _do(work: Callable[[], object]) -> None:
    """Call `work` and log its errors: the rest of the group must be called all the same."""
    try:
        work()
    except Exception:  # noqa: BLE001 - see above
        _log.exception("work after a commit failed")


def _driver(connection: Connection) -> Any:
    pooled: Any = connection.connection
    return pooled.dbapi_connection
