"""`Database`: an engine, and one connection per thread that is kept open."""

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, exc

from oidc_server.database.engines import STATEMENT_TIMEOUT, create_engine
from oidc_server.database.errors import (
    ConflictError,
    DatabaseBusyError,
    DatabaseUnavailableError,
    is_busy,
)
from oidc_server.database.group_commit import GroupCommit
from oidc_server.database.transactions import Access, Transaction
from oidc_server.database.watch import Watch, watch_session

T = TypeVar("T")

_IDLE_BEFORE_PING = 1.0
"""Seconds without use after which a PostgreSQL connection is pinged before the next use."""


class Database:
    """One engine, and for each thread one connection that is kept open.

    `url` is an SQLAlchemy address (`sqlite:///…` or `postgresql+psycopg2://…`); `watch` is told of
    slow statements. PostgreSQL cancels those that take `statement_timeout` seconds.
    """

    def __init__(
        self,
        url: str,
        watch: Watch | None = None,
        *,
        statement_timeout: float = STATEMENT_TIMEOUT,
    ) -> None:
        self.engine = create_engine(url, statement_timeout)
        self._watch = watch
        if watch is not None:
            watch_session(self.engine, watch)
        self._held = threading.local()
        self._by_thread: dict[int, Connection] = {}
        self._all: set[Connection] = set()
        self._guard = threading.Lock()
        self._memory: dict[str, Any] = {}

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self, access: Access) -> Iterator[Transaction]:
        """One transaction: leaving normally commits, raising rolls back.

        Raises `DatabaseUnavailableError` or `ConflictError` where trying again may help.
        `IntegrityError` passes through.
        """
        group = self._group_of_thread()
        try:
            transaction = Transaction(self._connection(), access, self._memory, self._watch, group)
            try:
                yield transaction
                transaction.commit()
            except BaseException:
                transaction.roll_back()
                raise
            finally:
                transaction.close()
                self._held.last_used = time.monotonic()
            if group is None or not group.is_open:
                transaction.committed()
            elif transaction.has_afterwards:
                group.afterwards(partial(copy_context().run, transaction.committed))
        except exc.DBAPIError as error:
            raise self._translated(error) from error
        except exc.TimeoutError as error:
            raise DatabaseUnavailableError(str(error)) from error

    def group(self) -> GroupCommit:
        """A new group commit, for one thread; SQLite only."""
        return GroupCommit(self._memory, self._watch)

    def in_group(self, group: GroupCommit, work: Callable[[], T]) -> T:
        """Run `work`; `group.commit()` commits what its transactions write."""
        self._held.group = group
        group.takes_more = True
        try:
            return work()
        finally:
            group.takes_more = False

    def _group_of_thread(self) -> GroupCommit | None:
        """The group that a new transaction joins. Without one, an open group is committed first."""
        group: GroupCommit | None = getattr(self._held, "group", None)
        if group is None or group.takes_more:
            return group
        group.commit()
        return None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of its own, for migrations; raises `DatabaseUnavailableError`."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except exc.DBAPIError as error:
            raise self._translated(error) from error

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._held, "connection", None)
        if connection is not None and not self._still_good(connection):
            self._discard(connection)
            connection = None
        if connection is None:
            connection = self.engine.connect()
            if not self.is_sqlite:
                _own_transactions(connection)
            if (lock_timeout := getattr(self._held, "lock_timeout", None)) is not None:
                _set_busy_timeout(connection, lock_timeout)
            self._held.connection = connection
            self._by_thread[threading.get_ident()] = connection
            with self._guard:
                self._all.add(connection)
        return connection

    def _still_good(self, connection: Connection) -> bool:
        if connection.closed or connection.invalidated:
            return False
        if self.is_sqlite:
            return True
        pooled: Any = connection.connection
        if _has_ended(pooled.dbapi_connection):
            return False
        if time.monotonic() - self._held.last_used < _IDLE_BEFORE_PING:
            return True
        try:
            return bool(self.engine.dialect.do_ping(pooled.dbapi_connection))
        except self.engine.dialect.loaded_dbapi.Error:
            return False

    def _discard(self, connection: Connection) -> None:
        self._held.connection = None
        with self._guard:
            self._all.discard(connection)
        with suppress(Exception):
            connection.invalidate()
        with suppress(Exception):
            connection.close()

    def _translated(self, error: exc.DBAPIError) -> Exception:
        """The error that callers get for one of the driver."""
        connection = getattr(self._held, "connection", None)
        if error.connection_invalidated and connection is not None:
            self._discard(connection)
        if isinstance(error, exc.IntegrityError):
            return error
        if getattr(error.orig, "pgcode", None) in ("40001", "40P01"):
            return ConflictError(type(error.orig).__name__)
        if is_busy(error.orig):
            return DatabaseBusyError(type(error.orig).__name__)
        is_no_database = type(error) is exc.DatabaseError  # not an SQLite file, or a damaged one
        kinds = exc.OperationalError | exc.InternalError | exc.InterfaceError
        if is_no_database or isinstance(error, kinds):
            return DatabaseUnavailableError(type(error.orig).__name__)
        return error

    def set_lock_timeout(self, seconds: float) -> None:
        """How long statements of this thread wait for the lock of SQLite from now on."""
        if getattr(self._held, "lock_timeout", None) != seconds:
            self._held.lock_timeout = seconds
            if (connection := getattr(self._held, "connection", None)) is not None:
                _set_busy_timeout(connection, seconds)

    def abort(self, thread: int) -> None:
        """Shut the connection of another thread down, so that it stops waiting for an answer."""
        connection = self._by_thread.get(thread)
        if connection is None:
            return
        with suppress(Exception):
            pooled: Any = connection.connection
            with socket.socket(fileno=os.dup(pooled.dbapi_connection.fileno())) as ours:
                ours.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every held connection; called once, at the end of the process."""
        with self._guard:
            connections, self._all = self._all, set()
        for connection in connections:
            with suppress(Exception):
                connection.close()
        self.engine.dispose()


def _own_transactions(connection: Connection) -> None:
    """Keep psycopg2 from sending `BEGIN` by itself: `Transaction` does that."""
    pooled: Any = connection.connection
    pooled.dbapi_connection.autocommit = True


def _set_busy_timeout(connection: Connection, seconds: float) -> None:
    pooled: Any = connection.connection
    pooled.dbapi_connection.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _has_ended(idle: Any) -> bool:
    """Whether the server closed this idle connection: only then there is something to read."""
    if idle.closed:
        return True
    poll = select.poll()
    poll.register(idle.fileno(), select.POLLIN)
    return bool(poll.poll(0))
