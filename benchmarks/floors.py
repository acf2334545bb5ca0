"""What this machine needs for the dearest single parts of an answer, in milliseconds."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from benchmarks import databases
from oidc_server.security.jose import SigningKey
from oidc_server.security.passwords import PasswordHasher
from oidc_server.settings import load

_HASHES = 5


def floors(folder: Path, seconds: float, sqlite_only: bool) -> dict[str, float]:
    """Measure each part alone, in this process, for about `seconds`."""
    es256, rs256 = SigningKey.generate("ES256"), SigningKey.generate("RS256")
    claims = {"iss": "http://localhost:8000", "sub": "0" * 36, "exp": 1_900_000_000}
    settings = load({"OIDC_DATA_DIR": str(folder / "floors")}, None)
    hasher = PasswordHasher(
        settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism
    )
    found = {
        "one ES256 signature": _each(lambda: es256.sign(claims), seconds),
        "one RS256 signature": _each(lambda: rs256.sign(claims), seconds),
        "one Argon2id hash": _each(lambda: hasher.hash("a long enough passphrase"), seconds),
    }
    with _sqlite(folder / "floor.db") as commit:
        found["one SQLite insert and commit"] = _each(commit, seconds)
    if not sqlite_only and databases.can_start_postgres():
        with _postgres(folder / "floor") as commit:
            found["one PostgreSQL insert and commit"] = _each(commit, seconds)
    return found


@contextmanager
def _sqlite(file: Path) -> Iterator[Callable[[], None]]:
    database = sqlite3.connect(file, isolation_level=None)

    def commit() -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO floor (word) VALUES ('word')")
        database.execute("COMMIT")

    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, word TEXT)")
        yield commit
    finally:
        database.close()


@contextmanager
def _postgres(place: Path) -> Iterator[Callable[[], None]]:
    """By the driver and over the socket that the server takes, the statement prepared."""
    with databases.durable_postgres(place) as (server, _):
        connection = create_engine(server.url).raw_connection()
        cursor = connection.cursor()

        def commit() -> None:
            cursor.execute("EXECUTE word ('word')")
            connection.commit()

        try:
            cursor.execute("CREATE TABLE floor (id serial PRIMARY KEY, word text)")
            cursor.execute("PREPARE word (text) AS INSERT INTO floor (word) VALUES ($1)")
            connection.commit()
            yield commit
        finally:
            connection.close()


def _each(part: Callable[[], object], seconds: float) -> float:
    part()
    start = time.perf_counter()
    count = 0
    while (elapsed := time.perf_counter() - start) < seconds or count < _HASHES:
        part()
        count += 1
    return 1000 * elapsed / count
