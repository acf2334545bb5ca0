"""The database: a held connection per thread, transactions, and statements compiled once.

Two ways to speak to it, inside the same transaction:

* `Statement` is for hot paths: a Core statement, compiled once and run on the driver's cursor
  (on PostgreSQL prepared once per connection).
* `Transaction.session` is an ORM session, for pages and administration.
"""

import select
import threading
import time
from collections import namedtuple
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

import sqlalchemy
from sqlalchemy import Connection, Engine, event, exc, make_url
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql import Executable

Access = Literal["read", "write"]

_BUSY_TIMEOUT = 5.0
"""Seconds a writer waits for another one before it gives up (both databases)."""
_CONNECT_TIMEOUT = 2
_IDLE_BEFORE_PING = 1.0
"""Seconds after which a held PostgreSQL connection is checked before it is trusted again."""

_POSTGRES_OPTIONS = (
    "-c timezone=UTC -c statement_timeout=15000 -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=60000"
    # A generic plan made while a table is tiny would be a sequential scan for ever.
    " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
)


class DatabaseUnavailableError(Exception):
    """The database is away, locked, or gave up: nothing was committed, a retry may work."""


class ConflictError(Exception):
    """Two transactions collided: nothing was committed, the unit may run again."""


class _Compiled:
    """One statement for one dialect: SQL text, parameter order, processors of both sides."""

    __slots__ = ("binds", "defaults", "make_row", "name", "names", "processors", "sql")

    def __init__(self, core: Executable, dialect: Dialect, name: str) -> None:
        style: Any = "numeric_dollar" if dialect.name == "postgresql" else "qmark"
        kind: Any = PGDialect_psycopg2 if dialect.name == "postgresql" else type(dialect)
        statement: Any = core
        compiled: Any = statement.compile(dialect=kind(paramstyle=style))
        self.sql = str(compiled)
        self.name = name
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self.defaults: dict[str, Any] = {k: v for k, v in compiled.params.items() if v is not None}
        self.binds: dict[str, Any] = {}
        for parameter, bound in compiled.bind_names.items():
            processor = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if processor is not None:
                self.binds[bound] = processor
        columns = compiled._result_columns  # noqa: SLF001 - no other way to the types
        self.processors = [
            (index, processor)
            for index, column in enumerate(columns)
            if (processor := column.type.dialect_impl(dialect).result_processor(dialect, None))
            is not None
        ]
        names = [column.keyname for column in columns]
        row: Any = namedtuple("Row", names) if names else None  # noqa: PYI024 - made per statement
        self.make_row = row and row._make

    def arguments(self, parameters: dict[str, Any]) -> list[Any]:
        """The values in the order of the SQL text, each as the driver wants it."""
        values = {**self.defaults, **parameters} if self.defaults else parameters
        binds = self.binds
        return [binds[name](values[name]) if name in binds else values[name] for name in self.names]

    def row(self, raw: Sequence[Any]) -> Any:
        if self.processors:
            raw = list(raw)
            for index, process in self.processors:
                raw[index] = process(raw[index])
        return self.make_row(raw)


class Statement:
    """A Core statement made once as a module constant; its parameters are `bindparam`s.

    Column defaults computed in Python are not applied: an insert names every column.
    """

    __slots__ = ("_by_dialect", "core", "name")
    _count = 0

    def __init__(self, core: Executable) -> None:
        Statement._count += 1
        self.core = core
        self.name = f"s{Statement._count}"
        self._by_dialect: dict[str, _Compiled] = {}

    def compiled(self, dialect: Dialect) -> _Compiled:
        found = self._by_dialect.get(dialect.name)
        if found is None:
            found = self._by_dialect[dialect.name] = _Compiled(self.core, dialect, self.name)
        return found


class Transaction:
    """What handlers and domain functions call `db`. It never commits by itself."""

    __slots__ = ("_connection", "_cursor", "_dbapi", "_dialect", "_prepared", "_session", "memory")

    def __init__(self, connection: Connection, memory: dict[str, Any]) -> None:
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
        with self.session.begin_nested():  # the session has to know, or it nests inside ours
            self.session.connection()  # it begins with the session's first use, not with ours
            yield

    def flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        with suppress(Exception):
            self._cursor.close()

    def _execute(self, statement: Statement, parameters: dict[str, Any]) -> _Compiled:
        self.flush()
        compiled = statement.compiled(self._dialect)
        arguments = compiled.arguments(parameters)
        try:
            if self._prepared is None:
                self._cursor.execute(compiled.sql, arguments)
            else:
                self._execute_prepared(compiled, arguments)
        except self._dialect.loaded_dbapi.Error as error:
            raise self._wrapped(error, compiled) from None
        return compiled

    def _execute_prepared(self, compiled: _Compiled, arguments: list[Any]) -> None:
        assert self._prepared is not None  # noqa: S101 - the caller's branch
        if compiled.name not in self._prepared:
            self._cursor.execute(f"PREPARE {compiled.name} AS {compiled.sql.replace('%', '%%')}")
            self._prepared.add(compiled.name)
        places = ",".join(["%s"] * len(arguments))
        call = f"({places})" if arguments else ""
        self._cursor.execute(f"EXECUTE {compiled.name}{call}", arguments)

    def _wrapped(self, error: Any, compiled: _Compiled) -> BaseException:
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


class Database:
    """One engine, and for each thread one connection that it keeps.

    `url` is an SQLAlchemy address (`sqlite:///…` or `postgresql+psycopg2://…`).
    """

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        self._held = threading.local()
        self._all: set[Connection] = set()
        self._guard = threading.Lock()
        self._memory: dict[str, Any] = {}

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self, access: Access) -> Iterator[Transaction]:
        """One transaction: leaving normally commits, raising rolls back.

        Raises `DatabaseUnavailableError` or `ConflictError` for what a retry may cure;
        `IntegrityError` passes through.
        """
        try:
            connection = self._connection()
            with self._begun(connection, access) as transaction:
                yield transaction
        except exc.DBAPIError as error:
            raise self._judged(error) from error
        except exc.TimeoutError as error:
            raise DatabaseUnavailableError(str(error)) from error

    @contextmanager
    def _begun(self, connection: Connection, access: Access) -> Iterator[Transaction]:
        if self.is_sqlite:
            connection.info["access"] = access
        else:
            # One statement, one round trip: reading needs no BEGIN and no COMMIT of its own.
            pooled: Any = connection.connection
            pooled.dbapi_connection.autocommit = access == "read"
        try:
            with connection.begin():
                transaction = Transaction(connection, self._memory)
                try:
                    yield transaction
                    transaction.flush()
                finally:
                    transaction.close()
        finally:
            self._held.last_used = time.monotonic()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of its own, for migrations; raises `DatabaseUnavailableError`."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except exc.OperationalError as error:
            raise DatabaseUnavailableError(type(error.orig).__name__) from error

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._held, "connection", None)
        if connection is not None and not self._still_good(connection):
            self._discard(connection)
            connection = None
        if connection is None:
            connection = self.engine.connect()
            self._held.connection = connection
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
            pooled.dbapi_connection.autocommit = True
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

    def _judged(self, error: exc.DBAPIError) -> Exception:
        """What an error of the database means to the caller."""
        connection = getattr(self._held, "connection", None)
        if error.connection_invalidated and connection is not None:
            self._discard(connection)
        if isinstance(error, exc.IntegrityError):
            return error
        if getattr(error.orig, "pgcode", None) in ("40001", "40P01"):
            return ConflictError(type(error.orig).__name__)
        if isinstance(error, exc.OperationalError | exc.InternalError | exc.InterfaceError):
            return DatabaseUnavailableError(type(error.orig).__name__)
        return error

    def close(self) -> None:
        """Close every held connection; called once, at the end of the process."""
        with self._guard:
            connections, self._all = self._all, set()
        for connection in connections:
            with suppress(Exception):
                connection.close()
        self.engine.dispose()


def _has_ended(idle: Any) -> bool:
    """Whether PostgreSQL closed this connection: else there is nothing to read while it is idle."""
    if idle.closed:
        return True
    poll = select.poll()
    poll.register(idle.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def create_engine(url: str) -> Engine:
    """An engine with our rules for either database; no parameter reaches an error text."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = sqlalchemy.create_engine(
            address,
            hide_parameters=True,
            poolclass=sqlalchemy.NullPool,  # connections are held, not pooled
            connect_args={"timeout": _BUSY_TIMEOUT, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sqlalchemy.create_engine(
        address,
        hide_parameters=True,
        poolclass=sqlalchemy.NullPool,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT,
            "options": _POSTGRES_OPTIONS,
            "application_name": "oidc_server",
            "keepalives_idle": 30,
            "tcp_user_timeout": 10_000,
        },
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={int(_BUSY_TIMEOUT * 1000)}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into writing loses to any other writer at once.
    writing = connection.info.get("access", "write") == "write"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
