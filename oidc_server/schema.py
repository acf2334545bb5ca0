"""Brings a database to the schema of this program, with the first signing keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from oidc_server import resources
from oidc_server.database import Database
from oidc_server.domain import signing_keys
from oidc_server.security.encryption import Vault


def upgrade(database: Database, vault: Vault, now: datetime) -> None:
    """Migrate, and make the first signing keys. Of many that start at once, one does the work."""
    with database.engine.connect() as connection:
        migrate(connection)
    with database.transaction("write") as db:
        signing_keys.ensure(db, vault, now)


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction."""
    with _alone(connection):
        command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Take migrations back, down to `revision`, in one transaction."""
    with _alone(connection):
        command.downgrade(_config(connection), revision)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A transaction in which nobody else migrates; a writing one on SQLite is alone anyway."""
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migrations'))"))
        yield


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
