"""A PostgreSQL that may be stopped."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import postgres, run
from tests.services.postgres import PostgresServer


@pytest.fixture
def private_postgres() -> Iterator[tuple[Path, PostgresServer]]:
    """A PostgreSQL that nobody else uses, and its folder, by which it is stopped and resumed."""
    if postgres.find_programs() is None:
        pytest.skip(postgres.MISSING)
    place = run.folder() / f"private-{time.monotonic_ns()}"
    server = postgres.start(place)
    yield place, server
    if (place / "data" / "postmaster.pid").exists():
        postgres.stop(place)
