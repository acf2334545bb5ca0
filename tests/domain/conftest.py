"""What tests of the domain share: a database with all tables, and somebody in it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from oidc_server.database import Database
from oidc_server.domain import users

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(ready_database_url: str) -> Iterator[Database]:
    database = Database(ready_database_url)
    yield database
    database.close()


@pytest.fixture
def ada(database: Database) -> str:
    """The id of a person with a verified address."""
    with database.transaction("write") as db:
        return users.create(
            db,
            username="ada",
            email="ada@example.com",
            name="Ada Lovelace",
            password_hash="hash of the first password",
            now=NOW,
            email_verified=True,
        ).id
