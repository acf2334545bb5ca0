"""A disk that is full when a test says so, and has room again when it says that.

Where this process may mount, it is a small file system of its own (tmpfs), and full as a disk is
(ENOSPC). Elsewhere, as in most containers, no file of the server may grow (EFBIG, by RLIMIT_FSIZE
of its processes): it can write where there is something already, and nowhere else.
"""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

_SIZE = 32 << 20
_PAGE = 4096


class SmallDisk(Protocol):
    """`folder` is what lies on it."""

    folder: Path

    def fill(self, processes: list[int]) -> None:
        """Let these processes, which are all that write there, find no room any more."""
        ...

    def make_room(self, processes: list[int]) -> None:
        """Let them find room again."""
        ...


class OfItsOwn:
    """A file system that a file of ours fills to the last page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def fill(self, processes: list[int]) -> None:
        del processes
        with self._filling.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * _PAGE)
            except OSError:
                return

    def make_room(self, processes: list[int]) -> None:
        del processes
        self._filling.unlink()


class WithoutGrowth:
    """A folder where processes may write no file beyond its first byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, processes: list[int]) -> None:
        for process in processes:
            _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (1, most))

    def make_room(self, processes: list[int]) -> None:
        for process in processes:
            _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def _mounted(folder: Path) -> Iterator[SmallDisk]:
    """Where mounting is forbidden, the other kind."""
    mount = ("mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0711", "tmpfs", str(folder))
    if shutil.which("mount") is None or _fails(mount):
        yield WithoutGrowth(folder)
        return
    try:
        yield OfItsOwn(folder)
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


def _fails(command: tuple[str, ...]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode != 0


@contextmanager
def _unmounted(folder: Path) -> Iterator[SmallDisk]:
    yield WithoutGrowth(folder)


_KINDS = {"no room": _mounted, "no growth": _unmounted}


@pytest.fixture(params=_KINDS)
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk for one test, once of either kind."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with _KINDS[request.param](folder) as disk:
        yield disk
