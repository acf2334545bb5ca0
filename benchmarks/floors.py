"""The floors of this machine: what no server can go below."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from oidc_server.security.jose import SigningKey
from oidc_server.security.passwords import PasswordHasher


def floors(folder: Path) -> dict[str, float]:
    """Milliseconds of processor time each, measured in this process."""
    es256, rs256 = SigningKey.generate("ES256"), SigningKey.generate("RS256")
    hasher = PasswordHasher(2, 19456, 1)
    claims = {"sub": "x" * 36, "aud": "y" * 22, "iat": 1, "exp": 2}
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE t (a TEXT)")
    try:
        return {
            "one ES256 token signed": _cost(lambda: es256.sign(claims), 2000),
            "one RS256 token signed": _cost(lambda: rs256.sign(claims), 300),
            "one Argon2id hash": _cost(lambda: hasher.hash("correct horse"), 10),
            "one SQLite insert and commit": _cost(
                lambda: database.execute("INSERT INTO t VALUES ('x')"), 300
            ),
        }
    finally:
        database.close()


def _cost(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1000
