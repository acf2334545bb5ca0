"""Databases that a server can begin to work on at once: with all tables, and with signing keys.

Making one takes half a second, and most tests do not care. So each worker makes one of each kind,
and whoever asks gets a copy. What a first start does has tests of its own, on empty databases.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url

from oidc_server import schema
from oidc_server.database import Database
from oidc_server.security.encryption import Vault
from tests.services.databases import KINDS, sqlite_url
from tests.services.postgres import PostgresServer

SECRET_KEY = "a secret of the tests that is long enough to be one"
"""It encrypts the signing keys: who takes such a database takes this secret too."""
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class ReadyDatabases:
    """Makes copies; `folder` is for the originals on SQLite."""

    folder: Path
    _originals: dict[tuple[str, datetime], str] = field(default_factory=dict)

    @contextmanager
    def copy(
        self, request: pytest.FixtureRequest, kind: str, folder: Path, *, since: datetime = NOW
    ) -> Iterator[str]:
        """The URL of a copy, whose keys sign since that moment; on SQLite it lies in `folder`."""
        if kind == "sqlite":
            url = sqlite_url(folder)
            original = self._original(kind, since, None)
            shutil.copyfile(_file(original), _file(url))
            yield url
            return
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database(self._original(kind, since, server))
        yield url
        server.drop_database(url)

    def _original(self, kind: str, since: datetime, server: PostgresServer | None) -> str:
        if (kind, since) not in self._originals:
            folder = self.folder / str(len(self._originals))
            folder.mkdir()
            url = server.create_database() if server else sqlite_url(folder)
            database = Database(url)
            schema.upgrade(database, Vault((SECRET_KEY,)), since)
            database.close()  # else it could not be copied
            self._originals[kind, since] = url
        return self._originals[kind, since]


@pytest.fixture(scope="session")
def ready_databases(tmp_path_factory: pytest.TempPathFactory) -> ReadyDatabases:
    """The originals of this worker."""
    return ReadyDatabases(tmp_path_factory.mktemp("ready"))


@pytest.fixture(params=KINDS)
def ready_database_url(
    request: pytest.FixtureRequest, ready_databases: ReadyDatabases, tmp_path: Path
) -> Iterator[str]:
    """URL of a database with tables and keys, and nothing else, that only this test uses."""
    with ready_databases.copy(request, request.param, tmp_path) as url:
        yield url


def _file(url: str) -> Path:
    path = make_url(url).database
    assert path is not None
    return Path(path)
