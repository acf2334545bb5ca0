"""Transactions: what handlers and domain functions call `db`.

On PostgreSQL each round trip costs more than what it carries, so there are three ways to save one
(ADR 0026): `later` sends a statement together with the next one, `conclude` makes the last write
the commit, and `prime` gives a row that was read by a join to whoever would read it alone.
"""

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

    Each statement sees what was committed before it (READ COMMITTED). `BEGIN` is sent with the
    first statement that writes or locks, or with the first use of the session (ADR 0024): what was
    read before is not part of the transaction. So one that only reads costs no `BEGIN` and no
    `COMMIT`, and does not wait for the write lock of SQLite.
    """

    __slots__ = (
        "_access",
        "_afterwards",
        "_bounds",
        "_connection",
        "_cursor",
        "_dbapi",
        "_dialect",
        "_group",
        "_is_begun",
        "_is_over",
        "_locks",
        "_may_wait",
        "_of_session",
        "_prepared",
        "_primed",
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
        """`begun`: the caller has begun a transaction on `connection`, and will end it.

        In a `group`, `commit` commits nothing yet: `GroupCommit.commit` does.
        """
        self.memory = memory
        """Caches of this process, such as snapshots of clients by revision; keyed by module."""
        self._access = access
        self._primed: dict[Statement, tuple[dict[str, Any], Any]] = {}
        """By statement: the parameters of the next `first`, and the row that answers it."""
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
        self._locks: frozenset[str] = frozenset()
        """Names of the locks that it holds."""
        self._may_wait = self._prepared is not None and access == "write" and not begun
        """Whether statements without a result can be sent together with the next one."""
        self._unsent = b""
        """SQL that is sent to PostgreSQL together with the next statement."""
        self._session: Session | None = None
        self._of_session: Any = None
        """The transaction as SQLAlchemy knows it, if this one had to make it for the session."""
        self._watch = watch
        self._afterwards: list[Callable[[], object]] = []

    @property
    def session(self) -> Session:
        """The ORM session; it is flushed before each `Statement` and before the commit."""
        self._primed.clear()
        if self._session is None:
            self._begin()
            if self._unsent:  # SQLAlchemy sends the next statement, without these
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
        asked, known = self._primed.pop(statement, _NOTHING)
        if asked == parameters:
            return known
        compiled = self._execute(statement, parameters)
        rows = self._cursor.fetchall()
        return compiled.row(rows[0]) if rows else None

    def prime(self, statement: Statement, values: Sequence[Any] | None, **parameters: Any) -> None:
        """Answer the next `first` of this statement with a row that a join has just read.

        `values` are those of the row; None: there is no such row. It is used once, and dropped by
        any write.
        """
        row = None if values is None else statement.compiled(self._dialect).make_row(values)
        self._primed[statement] = parameters, row

    def all(self, statement: Statement, **parameters: Any) -> list[Any]:
        compiled = self._execute(statement, parameters)
        return [compiled.row(row) for row in self._cursor.fetchall()]

    def run(self, statement: Statement, **parameters: Any) -> int:
        """Execute and return the number of rows changed."""
        self._execute(statement, parameters)
        return int(self._cursor.rowcount)

    def later(self, statement: Statement, **parameters: Any) -> None:
        """Execute a statement whose result nobody needs.

        PostgreSQL gets it in one round trip with the next statement or the commit, which then
        raises its errors. SQLite executes it at once.
        """
        if not self._may_wait:
            self._execute(statement, parameters)
            return
        compiled = statement.compiled(self._dialect)
        self._begin()
        self._prepare(compiled)
        self._unsent += self._cursor.mogrify(compiled.call, compiled.arguments(parameters)) + b";"

    def conclude(self, statement: Statement, **parameters: Any) -> int:
        """Execute the last write of a transaction; returns the number of rows changed.

        Where that saves a round trip it is committed at once, together with what `later` has
        queued: raising afterwards rolls back nothing. If it changed a row, further writes are an
        error; if it changed none, a refusal may still be written.
        """
        alone = (
            self._group is None
            and self._session is None
            and (not self._is_begun or self._unsent.startswith(_BEGIN))
        )
        if alone:
            self._is_begun, self._unsent = True, self._unsent.removeprefix(_BEGIN)
        changed = -1  # if it fails, further writes are an error too
        try:
            changed = self.run(statement, **parameters)
        finally:
            self._is_over = changed != 0
            if alone:
                self._is_begun = False
        return changed

    def lock(self, name: str) -> None:
        """Hold the lock of this name, over all nodes, until the transaction ends.

        Holding it already costs nothing. On SQLite there is one writer at a time anyway.
        """
        self._begin()
        if self._prepared is not None and name not in self._locks:
            self._drive("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
            self._locks |= {name}

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that is rolled back alone when it raises."""
        so_far, locks = len(self._afterwards), self._locks
        try:
            with self.session.begin_nested():  # by the session, which may make savepoints as well
                self.session.connection()  # creates the savepoint, which else awaits the first use
                yield
        except BaseException:
            del self._afterwards[so_far:]
            self._locks = locks
            raise

    def afterwards(self, work: Callable[[], object]) -> None:
        """Call `work` after the commit; not at all after a rollback. For metrics and the log."""
        self._afterwards.append(work)

    @property
    def has_afterwards(self) -> bool:
        return bool(self._afterwards)

    def committed(self) -> None:
        """Call what `afterwards` has queued; called once, by whoever has committed."""
        for work in self._afterwards:
            work()

    def flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def commit(self) -> None:
        """Called once, by whoever made this; `roll_back` instead on errors; then `close`."""
        self.flush()
        if self._is_begun and self._unsent != _BEGIN:
            if self._bounds.end is not None:
                with self._timing("commit"):  # both databases wait for the disk
                    self._drive(self._bounds.end)
            self._is_begun = False
            if self._prepared is not None and self._cursor.statusmessage != "COMMIT":
                raise RuntimeError("a statement failed, so nothing was committed")
        if self._of_session is not None:
            self._of_session.commit()  # only SQLAlchemy's state: the driver has committed

    def roll_back(self) -> None:
        is_undone = False
        with suppress(Exception):  # on a lost connection the database rolls back by itself
            if self._is_begun and not self._unsent.startswith(_BEGIN):
                for sql in self._bounds.undo:
                    self._cursor.execute(sql)
            is_undone = True
        with suppress(Exception):  # SQLite may have rolled back already, as for a full disk
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
        """Called before every statement that may write or lock; begins with the first."""
        self._primed.clear()
        if self._is_over:
            raise RuntimeError("a write after `conclude`")
        if self._is_begun or self._access == "read":
            return
        if self._prepared is None:
            if self._group is not None:
                self._bounds = self._group.bounds()
            with self._timing("begin"):
                self._drive(self._bounds.begin)
            if self._group is not None:
                self._group.begun(self._connection)
            self._connection.info["begun"] = True  # so SQLAlchemy sends no second BEGIN
        else:
            self._unsent = _BEGIN
        self._is_begun = True

    def _let_session_begin(self) -> None:
        """Make SQLAlchemy's transaction: around the one that has begun, or for reading only."""
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
        """PREPARE the statement, once per connection, ahead of anything that is unsent."""
        prepared: Any = self._prepared
        if compiled.name not in prepared:
            unsent, self._unsent = self._unsent, b""
            try:
                self._drive(f"PREPARE {compiled.name} AS {compiled.sql}", None)
            finally:
                self._unsent = unsent
            prepared.add(compiled.name)

    def _drive(self, sql: str, arguments: Sequence[Any] | None = ()) -> None:
        """Send SQL, behind what is unsent; errors of the driver become those of SQLAlchemy."""
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
        """The error without parameters, which may be secret."""
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
