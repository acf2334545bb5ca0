"""Reading a whole database as it is at one moment, while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from oidc_server import schema
from oidc_server.database import Database
from oidc_server.transfer import TransferError, tables


@dataclass(frozen=True)
class Source:
    """A database as of one moment."""

    connection: Connection
    version: str
    tables: list[Table]

    def count(self) -> int:
        """How many rows there are in all."""
        return sum(tables.count(self.connection, table) for table in self.tables)


@contextmanager
def reading(database: Database) -> Iterator[Source]:
    """All tables as of now. On SQLite the WAL grows until this ends.

    Raises `DatabaseUnavailableError`; `TransferError` if there is nothing yet; `SchemaError` for
    a newer schema, of which this program would leave something out.
    """
    with database.connection() as connection, _standing_still(connection):
        version = schema.version(connection)
        if version is None:
            raise TransferError("The database has no tables yet: oidc-server db upgrade")
        schema.expect_known(version)
        yield Source(connection, version, tables.reflect(connection))


@contextmanager
def _standing_still(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        connection.info["access"] = "read"
        with connection.begin():
            yield
        return
    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with connection.begin():
        schema.take_your_time(connection)
        yield
