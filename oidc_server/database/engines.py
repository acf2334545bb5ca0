"""SQLAlchemy engines for SQLite and PostgreSQL, with the settings that we rely on."""

import os
import sqlite3
import time
from contextlib import suppress
from typing import Any

import orjson
import sqlalchemy
from sqlalchemy import Connection, Engine, event, make_url

from oidc_server.database.errors import is_busy

_BUSY_TIMEOUT = 5.0
"""Seconds that a writer of SQLite waits for the lock."""
_LOOK_AGAIN = 0.01
"""Seconds between two tries to switch a file to WAL."""
_CONNECT_TIMEOUT = 2
_READ_JSON = orjson.loads
"""PostgreSQL writes out 1e30, and Python would read an integer that nobody can write as JSON."""

STATEMENT_TIMEOUT = 15.0
"""Seconds after which PostgreSQL cancels a statement, by default."""

_POSTGRES_OPTIONS = (
    "-c timezone=UTC -c statement_timeout={} -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=60000"
    # A generic plan that is made while a table is tiny would keep its sequential scan for good.
    " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
    # `enable_seqscan=off` adds ten billion to the cost of a scan, which then would be JIT-compiled.
    " -c jit=off"
)


def create_engine(url: str, statement_timeout: float = STATEMENT_TIMEOUT) -> Engine:
    """An engine for this address; its errors show no parameters, which may be secret."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = sqlalchemy.create_engine(
            address,
            hide_parameters=True,
            json_deserializer=_READ_JSON,
            poolclass=sqlalchemy.NullPool,  # connections are held, not pooled
            connect_args={"timeout": _BUSY_TIMEOUT, "check_same_thread": False},
        )
        event.listen(engine, "do_connect", _create_file_for_owner)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sqlalchemy.create_engine(
        address,
        hide_parameters=True,
        json_deserializer=_READ_JSON,
        poolclass=sqlalchemy.NullPool,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT,
            "options": _POSTGRES_OPTIONS.format(int(statement_timeout * 1000)),
            "application_name": "oidc_server",
            "keepalives_idle": 30,
            "tcp_user_timeout": 10_000,
        },
    )


def _create_file_for_owner(
    _dialect: object, _record: object, where: Any, how: dict[str, Any]
) -> None:
    """Create the file with mode 0600; SQLite gives its WAL the same mode.

    Errors are left to SQLite, which will meet them too. An existing file is not opened: closing it
    would release all locks that this process holds on it (fcntl(2)).
    """
    if where[0] != ":memory:" and not how.get("uri"):  # neither of them is a path
        with suppress(OSError):
            os.close(os.open(where[0], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    _switch_to_wal(connection)
    for pragma in (
        "synchronous=FULL",
        f"busy_timeout={int(_BUSY_TIMEOUT * 1000)}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:
    """Switch to WAL; where two do so at once, SQLite refuses one without waiting for the lock."""
    end = time.monotonic() + _BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > end:
                raise
            time.sleep(_LOOK_AGAIN)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    if connection.info.get("begun"):
        return
    # A deferred transaction that begins to write fails at once if there is another writer.
    writing = connection.info.get("access", "write") == "write"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
