"""Engines with our rules for either database."""

import os
import sqlite3
import time
from contextlib import suppress
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event, make_url

from oidc_server.database.errors import is_busy

_BUSY_TIMEOUT = 5.0
"""Seconds a writer waits for another one before it gives up (both databases)."""
_LOOK_AGAIN = 0.01
"""Seconds until whoever switches a file of SQLite to its log tries again."""
_CONNECT_TIMEOUT = 2

STATEMENT_TIMEOUT = 15.0
"""Seconds a statement of PostgreSQL may take, unless whoever waits for it waits less or more."""

_POSTGRES_OPTIONS = (
    "-c timezone=UTC -c statement_timeout={} -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=60000"
    # A generic plan made while a table is tiny would be a sequential scan for ever.
    " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
    # What has no index seems to cost ten billion now, and would be compiled whenever it is run.
    " -c jit=off"
)


def create_engine(url: str, statement_timeout: float = STATEMENT_TIMEOUT) -> Engine:
    """An engine with our rules for either database; no parameter reaches an error text."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = sqlalchemy.create_engine(
            address,
            hide_parameters=True,
            poolclass=sqlalchemy.NullPool,  # connections are held, not pooled
            connect_args={"timeout": _BUSY_TIMEOUT, "check_same_thread": False},
        )
        event.listen(engine, "do_connect", _keep_others_out)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sqlalchemy.create_engine(
        address,
        hide_parameters=True,
        poolclass=sqlalchemy.NullPool,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT,
            "options": _POSTGRES_OPTIONS.format(int(statement_timeout * 1000)),
            "application_name": "oidc_server",
            "keepalives_idle": 30,
            "tcp_user_timeout": 10_000,
        },
    )


def _keep_others_out(_dialect: object, _record: object, where: Any, how: dict[str, Any]) -> None:
    """Make the file for its owner alone; SQLite gives what it puts beside it the same mode.

    What hinders us hinders SQLite too, and is told from there. A file that is there is not opened:
    closing it again would let go all locks that this process has on it (fcntl(2)).
    """
    if where[0] != ":memory:" and not how.get("uri"):  # neither is a path
        with suppress(OSError):
            os.close(os.open(where[0], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    _keep_a_log_ahead(connection)
    for pragma in (
        "synchronous=FULL",
        f"busy_timeout={int(_BUSY_TIMEOUT * 1000)}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _keep_a_log_ahead(connection: Any) -> None:
    """Switch to WAL; of two who do so for a new file, SQLite refuses one without waiting."""
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
    # A deferred transaction that turns into writing loses to any other writer at once.
    writing = connection.info.get("access", "write") == "write"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
