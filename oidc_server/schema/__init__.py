"""Brings a database to the schema of this program, with a signing key of each algorithm."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from oidc_server import resources
from oidc_server.database import Database, schema_version
from oidc_server.domain import audit, signing_keys
from oidc_server.domain.audit import Event
from oidc_server.observability.logs import get_logger
from oidc_server.schema import snapshot
from oidc_server.security.encryption import Vault

if TYPE_CHECKING:
    from alembic.config import Config


_log = get_logger(__name__)


class SchemaError(Exception):
    """The database is of another program, and not for this one (ADR 0023)."""


def upgrade(
    database: Database, vault: Vault, now: datetime, *, only_if_empty: bool = False
) -> bool:
    """Migrate, and make missing signing keys. Of many that start at once, one does the work.

    True if there were no tables. A SQLite database is copied first (`snapshot`). A newer schema
    that is for this program too stays as it is. Raises `DatabaseUnavailableError`; `SchemaError`
    where it is not, and with `only_if_empty` for an older one: nodes run on it, and perhaps not on
    ours; `UnsealError` when the secret is not that of this data.
    """
    newest = resources.newest_migration()
    with database.connection() as connection:
        with connection.begin():
            found, is_ours = version(connection), is_for_us(connection)
        if only_if_empty and found is not None and found < newest:
            raise SchemaError(
                f"The database is at {found}, and this program needs {newest}. Bring it up with:"
                " oidc-server db upgrade (db status tells whether older nodes go on)."
            )
        if not is_ours:
            _upgrade(connection)
    with database.transaction("read") as db:
        missing = signing_keys.missing(db, vault)
    if missing:
        fresh = signing_keys.generate(missing)  # while others may write
        with database.transaction("write") as db:
            for kid in signing_keys.ensure(db, vault, fresh, now):
                audit.record(db, Event.KEY_CREATED, origin=audit.START, now=now, kid=kid)
    return found is None


def version(connection: Connection) -> str | None:
    """The migration that a database is at, inside a transaction; None if it has no tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def is_for_us(connection: Connection) -> bool:
    """Whether the schema is ours, or newer and for this program too; inside a transaction.

    A cheap look: nearly every start finds the schema as it should be.
    """
    newest, found = resources.newest_migration(), version(connection)
    if found is None or found <= newest:
        return found == newest
    goes_on = schema_version.goes_on(newest, connection.scalar(schema_version.OLDEST_PROGRAM.core))
    if goes_on:
        _log.info("the schema is newer than this program, which goes on", at=found, knows=newest)
    return goes_on


def _upgrade(connection: Connection) -> None:
    newest = resources.newest_migration()
    with alone(connection):
        if is_for_us(connection):  # another process was first
            return
        found = version(connection)
        if found is not None and found < newest and connection.dialect.name == "sqlite":
            snapshot.take(connection, newest)
        move(connection, newest)


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction."""
    from alembic import command  # noqa: PLC0415 - ten megabytes that a running server never uses

    with alone(connection):
        command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Take migrations back, down to `revision`, in one transaction."""
    from alembic import command  # noqa: PLC0415 - as above

    with alone(connection):
        command.downgrade(_config(connection), revision)


def move(connection: Connection, revision: str) -> None:
    """Up or down to `revision`, inside `alone`. Raises `SchemaError` for a newer schema."""
    from alembic import command  # noqa: PLC0415 - as above

    found = version(connection)
    expect_known(found)
    if found is None or found < revision:
        command.upgrade(_config(connection), revision)
    elif found > revision:
        command.downgrade(_config(connection), revision)


def expect_known(found: str | None) -> None:
    """Raise `SchemaError` for the version of a schema that this program does not know."""
    newest = resources.newest_migration()
    if found is not None and found > newest:
        raise SchemaError(
            f"The database is at {found}, which a newer oidc-server made; this one knows {newest}."
            " Use the newer one, or go back to a copy from before its upgrade."
        )


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """A transaction in which nobody else migrates; a writing one on SQLite is alone anyway."""
    if connection.dialect.name == "sqlite":
        with _tables_may_be_made_anew(connection), connection.begin():
            yield
        return
    with connection.begin():
        take_your_time(connection)
        _take_turns(connection)
        yield


def _take_turns(connection: Connection) -> None:
    """Wait until nobody else migrates, however long that takes: a large table takes its time."""
    if connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('migrations'))")):
        return
    _log.info("another process changes the schema: waiting for it")
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migrations'))"))
    # Locks of tables have a timeout: requests that need the table queue behind us.
    connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))


def take_your_time(connection: Connection) -> None:
    """Lift the limits of PostgreSQL that are for requests, until the transaction ends."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


@contextmanager
def _tables_may_be_made_anew(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by copying it and dropping the old one.

    With foreign keys on, what refers to the old one would be deleted along with it. They can be
    switched only outside a transaction, which SQLAlchemy would begin: hence the driver.
    """
    pooled: Any = connection.connection
    pooled.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        pooled.dbapi_connection.execute("PRAGMA foreign_keys=ON")


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(resources.migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
