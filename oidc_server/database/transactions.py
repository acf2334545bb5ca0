"""Transactions: what handlers and domain functions call `db`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, exc
from sqlalchemy.orm import Session

from oidc_server.database.statements import Compiled, Statement
from oidc_server.database.watch import Watch


class Transaction:
    """What handlers and domain functions call `db`. It never commits by itself."""

    __slots__ = (
        "_afterwards",
        "_connection",
        "_cursor",
        "_dbapi",
        "_dialect",
        "_prepared",
        "_session",
        "_watch",
        "memory",
    )

    def __init__(
        self, connection: Connection, memory: dict[str, Any], watch: Watch | None = None
    ) -> None:
        self.memory = memory
        """What this process keeps beside the database (snapshots keyed by revision), by owner."""
        self._connection = connection
        self._dialect = connection.dialect
        pooled: Any = connection.connection
        self._dbapi: Any = pooled.dbapi_connection
        self._prepared: set[str] | None = (
            connection.info.setdefault("prepared", set())
            if self._dialect.name == "postgresql"
            else None
        )
        self._cursor: Any = self._dbapi.cursor()
        self._session: Session | None = None
        self._watch = watch
        self._afterwards: list[Callable[[], object]] = []

    @property
    def session(self) -> Session:
        """The ORM session; it is flushed before each `Statement` and before the commit."""
        if self._session is None:
            self._session = Session(bind=self._connection, expire_on_commit=False, autoflush=True)
        return self._session

    @property
    def dialect_name(self) -> str:
        return self._dialect.name

    def first(self, statement: Statement, **parameters: Any) -> Any:
        """The first row as a named tuple, or None."""
        compiled = self._execute(statement, parameters)
        rows = self._cursor.fetchall()
        return compiled.row(rows[0]) if rows else None

    def all(self, statement: Statement, **parameters: Any) -> list[Any]:
        compiled = self._execute(statement, parameters)
        return [compiled.row(row) for row in self._cursor.fetchall()]

    def run(self, statement: Statement, **parameters: Any) -> int:
        """Execute and return the number of rows changed."""
        self._execute(statement, parameters)
        return int(self._cursor.rowcount)

    def lock(self, name: str) -> None:
        """Let one transaction at a time through here, over all nodes, until it ends.

        A writing transaction on SQLite is alone anyway.
        """
        if self._prepared is not None:
            self._cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that may fail alone: raising undoes it and nothing else."""
        so_far = len(self._afterwards)
        try:
            with self.session.begin_nested():  # the session has to know, or it nests inside ours
                self.session.connection()  # it begins with the session's first use, not with ours
                yield
        except BaseException:
            del self._afterwards[so_far:]
            raise

    def afterwards(self, work: Callable[[], object]) -> None:
        """Do something as soon as this is committed, or never: to count it, or to tell of it."""
        self._afterwards.append(work)

    def committed(self) -> None:
        """Do what was left for afterwards; called once, by whoever has committed."""
        for work in self._afterwards:
            work()

    def flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        with suppress(Exception):
            self._cursor.close()

    def _execute(self, statement: Statement, parameters: dict[str, Any]) -> Compiled:
        self.flush()
        compiled = statement.compiled(self._dialect)
        arguments = compiled.arguments(parameters)
        watch = self._watch
        began = time.perf_counter() if watch is not None else 0.0
        try:
            if self._prepared is None:
                self._cursor.execute(compiled.sql, arguments)
            else:
                self._execute_prepared(compiled, arguments)
        except self._dialect.loaded_dbapi.Error as error:
            raise self._wrapped(error, compiled) from None
        finally:
            if watch is not None and (took := time.perf_counter() - began) >= watch.above:
                watch.tell(statement.title, took)
        return compiled

    def _execute_prepared(self, compiled: Compiled, arguments: list[Any]) -> None:
        assert self._prepared is not None  # noqa: S101 - the caller's branch
        if compiled.name not in self._prepared:
            self._cursor.execute(f"PREPARE {compiled.name} AS {compiled.sql.replace('%', '%%')}")
            self._prepared.add(compiled.name)
        places = ",".join(["%s"] * len(arguments))
        call = f"({places})" if arguments else ""
        self._cursor.execute(f"EXECUTE {compiled.name}{call}", arguments)

    def _wrapped(self, error: Any, compiled: Compiled) -> BaseException:
        """The driver's error as SQLAlchemy's: one family for callers, parameters hidden."""
        lost = self._dialect.is_disconnect(error, self._dbapi, self._cursor)
        wrapped: BaseException = exc.DBAPIError.instance(
            compiled.sql,
            None,
            error,
            self._dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=self._dialect,
        )
        return wrapped
