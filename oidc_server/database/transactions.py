"""Transactions: what handlers and domain functions call `db`."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Literal

from sqlalchemy import Connection, exc
from sqlalchemy.orm import Session

from oidc_server.database.group_commit import ALONE, Bounds, GroupCommit
from oidc_server.database.statements import Compiled, Statement
from oidc_server.database.watch import Watch

Access = Literal["read", "write"]
_BEGIN = b"BEGIN;"
_NOTHING: Any = None, None


class Transaction:
    """What handlers and domain functions call `db`. Only `conclude` commits by itself.

    Each statement sees what was committed before it. Where writing is allowed, everything from the
    first statement on that may write, lock, or use the session happens at once or not at all: only
    then the database is told to begin. So what does nothing but read costs no more than that, and
    nobody waits for the lock of SQLite to look something up.
    """

    __slots__ = (
        "_access",
        "_afterwards",
        "_ahead",
        "_bounds",
        "_connection",
        "_cursor",
        "_dbapi",
        "_dialect",
        "_group",
        "_is_begun",
        "_is_over",
        "_may_wait",
        "_of_session",
        "_prepared",
        "_session",
        "_unsent",
        "_watch",
        "memory",
    )

    def __init__(
        self,
        connection: Connection,
        access: Access,
        memory: dict[str, Any],
        watch: Watch | None = None,
        group: GroupCommit | None = None,
        *,
        begun: bool = False,
    ) -> None:
        """`begun` is for one that somebody else began on `connection`, and will end.

        In a `group` it is not over with `commit`, but when the group is.
        """
        self.memory = memory
        """What this process keeps beside the database (snapshots keyed by revision), by owner."""
        self._access = access
        self._ahead: dict[Statement, tuple[dict[str, Any], Any]] = {}
        """Rows that other statements have read along: what would ask for them, and the answer."""
        self._bounds: Bounds = ALONE
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
        self._group = group
        self._is_begun = begun
        self._is_over = False
        self._may_wait = self._prepared is not None and access == "write" and not begun
        """Whether statements can be sent together."""
        self._unsent = b""
        """What goes to PostgreSQL together with the next statement, to save a round trip."""
        self._session: Session | None = None
        self._of_session: Any = None
        """SQLAlchemy's own idea of the transaction, for its session."""
        self._watch = watch
        self._afterwards: list[Callable[[], object]] = []

    @property
    def session(self) -> Session:
        """The ORM session; it is flushed before each `Statement` and before the commit."""
        self._ahead.clear()
        if self._session is None:
            self._begin()
            if self._unsent:  # somebody else sends the next statement
                self._drive("")
            self._may_wait = False
            self._let_session_begin()
            self._session = Session(bind=self._connection, expire_on_commit=False, autoflush=True)
        return self._session

    @property
    def dialect_name(self) -> str:
        return self._dialect.name

    def first(self, statement: Statement, **parameters: Any) -> Any:
        """The first row as a named tuple, or None."""
        asked, known = self._ahead.pop(statement, _NOTHING)
        if asked == parameters:
            return known
        compiled = self._execute(statement, parameters)
        rows = self._cursor.fetchall()
        return compiled.row(rows[0]) if rows else None

    def read_along(
        self, statement: Statement, values: Sequence[Any] | None, **parameters: Any
    ) -> None:
        """Have the next `first` of this answered, once: another statement has just read its row.

        `values` are those of the row, or None if there is none. A write makes it forget them.
        """
        row = None if values is None else statement.compiled(self._dialect).make_row(values)
        self._ahead[statement] = parameters, row

    def all(self, statement: Statement, **parameters: Any) -> list[Any]:
        compiled = self._execute(statement, parameters)
        return [compiled.row(row) for row in self._cursor.fetchall()]

    def run(self, statement: Statement, **parameters: Any) -> int:
        """Execute and return the number of rows changed."""
        self._execute(statement, parameters)
        return int(self._cursor.rowcount)

    def later(self, statement: Statement, **parameters: Any) -> None:
        """Execute, but let it wait for the next statement, or the commit: it has no result.

        On PostgreSQL they make the round trip together. What is wrong with it is raised there.
        """
        if not self._may_wait:
            self._execute(statement, parameters)
            return
        compiled = statement.compiled(self._dialect)
        self._begin()
        self._prepare(compiled)
        self._unsent += self._cursor.mogrify(compiled.call, compiled.arguments(parameters)) + b";"

    def conclude(self, statement: Statement, **parameters: Any) -> int:
        """Execute the last statement that writes; return the number of rows changed.

        It is committed at once where that saves a round trip, with what waits, even if it changed
        no row: raising afterwards undoes nothing. Only if it changed none more can be written: a
        refusal.
        """
        alone = (
            self._group is None
            and self._session is None
            and (not self._is_begun or self._unsent.startswith(_BEGIN))
        )
        if alone:
            self._is_begun, self._unsent = True, self._unsent.removeprefix(_BEGIN)
        changed = -1  # that is for whoever goes on after a failure
        try:
            changed = self.run(statement, **parameters)
        finally:
            self._is_over = changed != 0
            if alone:
                self._is_begun = False
        return changed

    def lock(self, name: str) -> None:
        """Let one transaction at a time through here, over all nodes, until it ends.

        A writing transaction on SQLite is alone anyway.
        """
        self._begin()
        if self._prepared is not None:
            self._drive("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])

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

    @property
    def has_afterwards(self) -> bool:
        return bool(self._afterwards)

    def committed(self) -> None:
        """Do what was left for afterwards; called once, by whoever has committed."""
        for work in self._afterwards:
            work()

    def flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def commit(self) -> None:
        """Called once, by whoever began; so are `roll_back`, instead of it, and `close`, after."""
        self.flush()
        if self._is_begun and self._unsent != _BEGIN:
            if self._bounds.end is not None:
                with self._timing("commit"):  # both databases wait for the disk
                    self._drive(self._bounds.end)
            self._is_begun = False
            if self._prepared is not None and self._cursor.statusmessage != "COMMIT":
                raise RuntimeError("a statement failed, so nothing was committed")
        if self._of_session is not None:
            self._of_session.commit()  # the driver has nothing to commit any more

    def roll_back(self) -> None:
        is_undone = False
        with suppress(Exception):  # what is lost, the database rolls back by itself
            if self._is_begun and not self._unsent.startswith(_BEGIN):
                for sql in self._bounds.undo:
                    self._cursor.execute(sql)
            is_undone = True
        with suppress(Exception):  # SQLite may have rolled back: a full disk
            if self._of_session is not None:
                self._of_session.rollback()
        if self._group is not None:
            self._group.rolled_back(is_undone=is_undone)

    def close(self) -> None:
        self._connection.info["begun"] = False
        if self._session is not None:
            self._session.close()
        with suppress(Exception):
            self._cursor.close()

    def _begin(self) -> None:
        """Called before whatever may change something, each time."""
        self._ahead.clear()
        if self._is_over:
            raise RuntimeError("what writes last has been executed")
        if self._is_begun or self._access == "read":
            return
        if self._prepared is None:
            if self._group is not None:
                self._bounds = self._group.bounds()
            with self._timing("begin"):
                self._drive(self._bounds.begin)
            if self._group is not None:
                self._group.begun(self._connection)
            self._connection.info["begun"] = True  # SQLAlchemy must not begin it once more
        else:
            self._unsent = _BEGIN
        self._is_begun = True

    def _let_session_begin(self) -> None:
        """Have SQLAlchemy know of what has begun, or begin what only reads."""
        if self._connection.in_transaction():
            return
        in_group = self._group is not None and self._group.is_open
        self._connection.info["access"] = self._access
        self._connection.info["begun"] = self._is_begun or in_group
        root = self._connection.begin()
        if self._group is not None and in_group:
            self._group.of_session = root
        else:
            self._of_session = root

    def _timing(self, name: str) -> AbstractContextManager[None]:
        return nullcontext() if self._watch is None else self._watch.timing(name)

    def _execute(self, statement: Statement, parameters: dict[str, Any]) -> Compiled:
        if self._session is not None:
            self._session.flush()
        compiled = statement.compiled(self._dialect)
        if not compiled.only_reads:
            self._begin()
        arguments = compiled.arguments(parameters)
        if self._watch is None:
            self._send(compiled, arguments)
        else:
            began = time.perf_counter()
            try:
                self._send(compiled, arguments)
            finally:
                if (took := time.perf_counter() - began) >= self._watch.above:
                    self._watch.tell(statement.title, took)
        return compiled

    def _send(self, compiled: Compiled, arguments: list[Any]) -> None:
        if self._prepared is None:
            self._drive(compiled.sql, arguments)
        else:
            self._prepare(compiled)
            self._drive(compiled.call, arguments)

    def _prepare(self, compiled: Compiled) -> None:
        """Once for each connection; it is no part of the transaction, and nothing goes with it."""
        prepared: Any = self._prepared
        if compiled.name not in prepared:
            unsent, self._unsent = self._unsent, b""
            try:
                self._drive(f"PREPARE {compiled.name} AS {compiled.sql}", None)
            finally:
                self._unsent = unsent
            prepared.add(compiled.name)

    def _drive(self, sql: str, arguments: Sequence[Any] | None = ()) -> None:
        """Errors of the driver become those of SQLAlchemy: one family for callers."""
        try:
            if self._unsent:
                last = self._cursor.mogrify(sql, arguments) if sql else b""
                together, self._unsent = self._unsent + last, b""
                self._cursor.execute(together)
            else:
                self._cursor.execute(sql, arguments)
        except self._dialect.loaded_dbapi.Error as error:
            raise self._wrapped(error, sql) from None

    def _wrapped(self, error: Any, sql: str) -> BaseException:
        """An error that tells no parameter."""
        lost = self._dialect.is_disconnect(error, self._dbapi, self._cursor)
        wrapped: BaseException = exc.DBAPIError.instance(
            sql,
            None,
            error,
            self._dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=self._dialect,
        )
        return wrapped
