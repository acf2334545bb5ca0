"""Which worker of a node runs the jobs: the one that holds a lock on a file."""

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

    It saves work and nothing depends on it, as everything that must not be done twice is leased
    through the database: so a folder that cannot be written to is no reason to stop.
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
        """For the time that a thread works under it: the last one to leave releases it."""
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
            _log.warning("every worker runs the jobs", reason=str(error))
        return True
