"""What this machine needs for the dearest single parts of an answer, in milliseconds."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from oidc_server.security.jose import SigningKey
from oidc_server.security.passwords import PasswordHasher
from oidc_server.settings import Settings

_HASHES = 5


def floors(folder: Path, settings: Settings, seconds: float) -> dict[str, float]:
    """Measure each part alone, in this process, for about `seconds`."""
    es256, rs256 = SigningKey.generate("ES256"), SigningKey.generate("RS256")
    claims = {"iss": "http://localhost:8000", "sub": "0" * 36, "exp": 1_900_000_000}
    hasher = PasswordHasher(
        settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism
    )
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, word TEXT)")

    def commit() -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO floor (word) VALUES ('word')")
        database.execute("COMMIT")

    try:
        return {
            "one ES256 signature": _each(lambda: es256.sign(claims), seconds),
            "one RS256 signature": _each(lambda: rs256.sign(claims), seconds),
            "one Argon2id hash": _each(lambda: hasher.hash("a long enough passphrase"), seconds),
            "one SQLite insert and commit": _each(commit, seconds),
        }
    finally:
        database.close()


def _each(part: Callable[[], object], seconds: float) -> float:
    part()
    start = time.perf_counter()
    count = 0
    while (elapsed := time.perf_counter() - start) < seconds or count < _HASHES:
        part()
        count += 1
    return 1000 * elapsed / count
