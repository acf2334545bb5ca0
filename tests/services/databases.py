"""Databases to test on. A test that asks for one runs twice: on SQLite and on PostgreSQL."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.postgres import PostgresServer

_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there has a name of its own
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session", params=KINDS)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of this worker's database. Who commits to it cleans up, or takes `fresh_database_url`."""
    if request.param == "sqlite":
        # A test may kill the process, but not the machine: nobody has to wait for the disk.
        with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
            yield sqlite_url(Path(folder))
        return
    yield request.getfixturevalue("postgres_url")


@pytest.fixture(params=KINDS)
def fresh_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database that only this test uses."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.drop_database(url)


def sqlite_url(folder: Path) -> str:
    """Return the URL of a database file in that folder."""
    return f"sqlite:///{folder / 'oidc.db'}"
