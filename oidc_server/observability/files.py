"""Log files that are rotated at a size, written by every process of the server at once.

Each line is appended in one write under a shared lock; whoever finds the file full rotates it under
the exclusive lock. So no line is torn. Before each line a process checks that its file still has
its name, so none is written into a file that was rotated by another process, or by logrotate.
"""

import fcntl
import os
import threading
from pathlib import Path

from oidc_server.observability import metrics


class RotatingFile:
    """A log file, with `keep` older ones beside it: `path`.1 is the youngest of those."""

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        """Raises `OSError` if it cannot be written to."""
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._guard = threading.Lock()
        self._torn = False
        self._lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o640)
        self._file = self._open()

    def write(self, line: bytes) -> None:
        """Append one line, without its end. A disk that is full is counted, and raises nothing."""
        with self._guard:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                try:
                    is_full = self._append(line)
                finally:
                    fcntl.flock(self._lock, fcntl.LOCK_UN)
                if is_full:
                    self._rotate()
            except OSError:
                metrics.LOG_LINES_DROPPED.labels("file").inc()

    def flush(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Close it; called once."""
        with self._guard:
            os.close(self._file)
            os.close(self._lock)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)

    def _append(self, line: bytes) -> bool:
        """Whether the file is full now."""
        if self._was_moved():
            os.close(self._file)
            self._file = self._open()
        rest = memoryview(b"\n" * self._torn + line + b"\n")
        self._torn = True  # if the disk is full in the middle of it, the next line begins anew
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._torn = False
        return os.fstat(self._file).st_size >= self._max_bytes

    def _was_moved(self) -> bool:
        ours = os.fstat(self._file)
        try:
            named = os.stat(self._path)  # noqa: PTH116 - before each line: a Path costs more
        except FileNotFoundError:
            return True
        return (named.st_ino, named.st_dev) != (ours.st_ino, ours.st_dev)

    def _rotate(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            if self._path.stat().st_size < self._max_bytes:
                return  # another process was faster
            for age in range(self._keep, 0, -1):
                younger = self._aged(age - 1)
                if younger.exists():
                    younger.replace(self._aged(age))
        except FileNotFoundError:
            return  # somebody moved it away meanwhile
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _aged(self, age: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{age}") if age else self._path
