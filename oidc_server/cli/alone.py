"""Keeping a second process off the data folder of a SQLite server."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oidc_server.settings import Settings


class TakenError(Exception):
    """Another process has what this one needs, a folder or a port; the text says what to do."""


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the data folder: workers of two servers on one file would not know of each other.

    Raises `TakenError` where a server runs. PostgreSQL is there for many.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not settings.database_url.startswith("sqlite"):
        yield
        return
    path = Path(settings.data_dir) / "serve.lock"
    descriptor: Any = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TakenError(
                f"Another server runs on {settings.data_dir.resolve()}; stop it, or set"
                " OIDC_DATA_DIR to another folder."
            ) from None
        yield
    finally:
        os.close(descriptor)
