"""The databases to measure on."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.services import postgres
from tests.services.postgres import PostgresServer

_DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}


def is_postgres_there() -> bool:
    return bool(os.environ.get("TEST_DATABASE_URL")) or postgres.find_programs() is not None


def can_start_postgres() -> bool:
    """Whether one can be started whose processes are known, and so what they take."""
    return postgres.find_programs() is not None


@contextmanager
def durable_postgres(
    place: Path, configuration: Mapping[str, str] | None = None
) -> Iterator[tuple[PostgresServer, int]]:
    """A server of our own that keeps what it said it would keep, and its process id."""
    os.environ["TEST_RUN_FOLDER"] = str(place.parent)  # where its programs may be copied to
    server = postgres.start(place, {**_DURABLE, **(configuration or {})})
    try:
        [pid, *_] = (place / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        yield server, int(pid)
    finally:
        postgres.stop(place)


@contextmanager
def postgres_server(place: Path) -> Iterator[PostgresServer]:
    """The server that TEST_DATABASE_URL names, or else one of our own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield PostgresServer(make_url(given).set(drivername="postgresql+psycopg2"))
        return
    os.environ["TEST_RUN_FOLDER"] = str(place.parent)  # where its programs may be copied to
    server = postgres.start(place)
    try:
        yield server
    finally:
        postgres.stop(place)


@contextmanager
def postgres_url(place: Path) -> Iterator[str]:
    """An empty database on such a server."""
    with postgres_server(place) as server:
        url = server.create_database()
        try:
            yield url
        finally:
            server.drop_database(url)
