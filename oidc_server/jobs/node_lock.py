"""Which worker of a node runs the jobs: the one that holds a file lock."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oidc_server.observability.logs import get_logger

_log = get_logger(__name__)


class NodeLock:
    """A lock that one process of this machine holds, until it releases it or dies.

    It only saves work: what must not be done twice is leased in the database. So if the folder
    cannot be written to, every worker runs the jobs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._is_held = False
        self._guard = threading.Lock()
        self._users = 0

    def acquire(self) -> bool:
        """Whether this process holds it, now or already."""
        with self._guard:
            if not self._is_held:
                self._is_held = self._try()
            return self._is_held

    def release(self) -> None:
        """Let another process have it."""
        with self._guard:
            self._is_held = False
            if self._file is not None:
                os.close(self._file)
                self._file = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """Count a thread as a user of the lock: the last one to leave releases it."""
        with self._guard:
            self._users += 1
        try:
            yield
        finally:
            with self._guard:
                self._users -= 1
                is_last = not self._users
            if is_last:
                self.release()

    def _try(self) -> bool:
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            _log.warning(
                "jobs.lock cannot be used, so every worker runs the jobs", reason=str(error)
            )
        return True
