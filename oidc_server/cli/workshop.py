"""What commands work with: settings, a database of our schema, and the server's secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import make_url

from oidc_server import schema
from oidc_server.clock import utc_now
from oidc_server.database import Access, Database, DatabaseUnavailableError, Transaction
from oidc_server.domain import audit
from oidc_server.domain.audit import COMMAND_LINE, Event
from oidc_server.security.encryption import Vault
from oidc_server.settings import Settings, load


@dataclass(frozen=True)
class Workshop:
    """One command at work: a transaction that commits when the command succeeds."""

    settings: Settings
    database: Database
    vault: Vault
    db: Transaction
    now: datetime

    def record(self, event: Event, **facts: Any) -> None:
        """Write down in the audit log what the command did; the facts are those of `audit`."""
        audit.record(self.db, event, origin=COMMAND_LINE, now=self.now, **facts)


@contextmanager
def workshop(access: Access = "write", *, upgrade: bool = False) -> Iterator[Workshop]:
    """Open the database, for long reading with `read`: then nobody waits for it.

    An empty one gets its tables. One of an older schema is brought to ours with `upgrade` only,
    since older nodes may run on it (ADR 0023). Raises `SchemaError`, `SettingsError` or
    `DatabaseUnavailableError`.
    """
    settings = load()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    vault = Vault(settings.secret_keys)
    with database_of(settings) as database:
        if schema.upgrade(database, vault, utc_now(), only_if_empty=not upgrade):
            typer.echo(_a_new_one(settings.database_url), err=True)
        with database.transaction(access) as db:
            # Not earlier: what is dated seconds ahead must not have waited for other writers.
            yield Workshop(settings, database, vault, db, utc_now())


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    """The database of these settings, as it is, and closed in the end.

    A `DatabaseUnavailableError` has a note of the file: PostgreSQL says itself where it is.
    """
    database = Database(settings.database_url)
    try:
        yield database
    except DatabaseUnavailableError as error:
        if database.is_sqlite:
            error.add_note(_place(settings.database_url))
        raise
    finally:
        database.close()


def _a_new_one(database_url: str) -> str:
    """Where the database is that a command has just made: perhaps another one was meant."""
    return f"This database is new: {_place(database_url)}"


def _place(database_url: str) -> str:
    """Its file, or its host and name."""
    url = make_url(database_url)
    is_file = url.get_backend_name() == "sqlite"
    return str(Path(url.database or "").resolve()) if is_file else f"{url.host}/{url.database}"
