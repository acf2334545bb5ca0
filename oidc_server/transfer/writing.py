"""Filling a whole database in one transaction: either all of it is there, or nothing happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, insert, text

from oidc_server import schema
from oidc_server.database import Database
from oidc_server.transfer import InUseError, TransferError, tables

_IN_USE = ("users", "clients", "credit_entries")
_FOREVER = 9_000_000_000_000_000
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'oidc_server' AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True)
class Target:
    """An empty database of the version that was asked for, which nobody else sees yet."""

    connection: Connection
    tables: dict[str, Table]

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Allow rows of a table in any order, even before rows of the same table they refer to."""
        if self.connection.dialect.name == "sqlite":
            yield  # nothing is checked before the end, as in a migration
            return
        own = [
            f'ALTER TABLE "{table.name}" ALTER CONSTRAINT "{key.constraint.name}"'
            for table in self.tables.values()
            for key in table.foreign_keys
            if key.constraint is not None and key.column.table is table
        ]
        for constraint in own:
            self.connection.execute(text(f"{constraint} DEFERRABLE INITIALLY DEFERRED"))
        yield
        self.connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        for constraint in own:
            self.connection.execute(text(f"{constraint} NOT DEFERRABLE"))


@contextmanager
def writing(database: Database, version: str, *, replace: bool = False) -> Iterator[Target]:
    """Empty the database, bring it to a version of the schema, and commit what is then written.

    What is written may be migrated on inside. Raises `DatabaseUnavailableError`; `TransferError`
    where a server runs on it, or where people or clients are in it and `replace` is not said;
    `SchemaError` where a newer program has made it.
    """
    with database.connection() as connection, schema.alone(connection):
        expect_nobody(connection)
        _empty(connection, replace=replace)
        schema.move(connection, version)
        yield Target(connection, {table.name: table for table in tables.reflect(connection)})
        _expect_references(connection)


def expect_nobody(connection: Connection) -> None:
    """Raise `TransferError` where a server runs on PostgreSQL; on SQLite it locks its folder.

    Servers keep clients in memory, and would go on with those of another database, or write what
    is in no copy.
    """
    if connection.dialect.name == "postgresql" and connection.scalar(_OTHERS):
        raise TransferError("A server runs on that database: stop every node first.")


def _empty(connection: Connection, *, replace: bool) -> None:
    found = tables.reflect(connection)
    named = {table.name: table for table in found}
    in_use = [name for name in _IN_USE if name in named and tables.count(connection, named[name])]
    if in_use and not replace:
        raise InUseError(f"The database is in use: there are {in_use[0].replace('_', ' ')}.")
    if found and connection.dialect.name == "postgresql":
        every = ", ".join(f'"{table.name}"' for table in found)
        connection.execute(text(f"LOCK TABLE {every} IN ACCESS EXCLUSIVE MODE"))
    horizon = named.get("audit_horizon")
    if horizon is not None:  # else triggers refuse to delete recent audit events
        connection.execute(delete(horizon))
        connection.execute(insert(horizon), [{"id": 1, "kept_since": _FOREVER}])
    for table in reversed(found):
        if table is not horizon:
            connection.execute(delete(table))
    if horizon is not None:
        connection.execute(delete(horizon))


def _expect_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        lost = connection.execute(text("PRAGMA foreign_key_check")).first()
        if lost is not None:
            raise TransferError(f"A row of {lost[0]} refers to one of {lost[2]} that is not there.")
