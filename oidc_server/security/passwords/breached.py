"""Passwords that were found in leaks: a sorted file of SHA-1 digests, 20 bytes each, and no more.

SHA-1 is how such lists are published. The file is mapped, not read: a look-up touches some thirty
pages of it, however many gigabytes it has, and its memory is the operating system's.
"""

import heapq
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from hashlib import sha1
from itertools import chain, islice
from pathlib import Path

from oidc_server.security.passwords.normal import normalised

_SIZE = 20
_RUN = 4_000_000
"""Digests that are sorted in memory at a time, some 300 MB."""


class NoBreachedListError(ValueError):
    """The file is no list that `build` has made."""


class BreachedPasswords:
    """The list in a file; raises `OSError`, `NoBreachedListError` for another file."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0 or size % _SIZE:
                raise NoBreachedListError(f"{path} holds no digests of {_SIZE} bytes")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._count = size // _SIZE
        steps = range(0, self._count, max(1, self._count // 100))
        if any(self._at(step) >= self._at(step + 1) for step in steps if step + 1 < self._count):
            self._map.close()
            raise NoBreachedListError(f"{path} is not sorted: make it with build-breached-list")

    def __len__(self) -> int:
        return self._count

    def holds(self, password: str) -> bool:
        """Whether this password is in the list."""
        wanted = digest(password)
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self._at(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low < self._count and self._at(low) == wanted

    def _at(self, index: int) -> bytes:
        return self._map[index * _SIZE : (index + 1) * _SIZE]


def digest(password: str) -> bytes:
    """The SHA-1 of a password, as lists of leaked ones hold it."""
    return sha1(normalised(password), usedforsecurity=False).digest()


def read_digests(lines: Iterable[bytes], at_least: int = 1) -> Iterator[bytes]:
    """The digests of lines such as `0018A45C4D1DEF81644B54AB7F969B88D65B45A7:12`.

    Those that were found less than `at_least` times are left out. ValueError names a bad line.
    """
    for number, line in enumerate(lines, start=1):
        text, _, count = line.strip().partition(b":")
        if not text:
            continue
        try:
            found = bytes.fromhex(text.decode("ascii"))
            often = int(count) if count else 1
        except ValueError:
            found, often = b"", 0
        if len(found) != _SIZE:
            raise ValueError(f"line {number} is no SHA-1 digest in hexadecimal")
        if often >= at_least:
            yield found


def build(digests: Iterable[bytes], target: Path) -> int:
    """Write the list of `digests`, whatever their order, and return how many differ.

    The file appears when it is complete, and takes the place of an earlier one.
    """
    iterator = iter(digests)
    count = 0
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".breached-") as folder:
        runs: list[Path] = []
        in_order, last = True, b""
        while run := sorted(islice(iterator, _RUN)):
            in_order, last = in_order and last <= run[0], run[-1]
            runs.append(Path(folder, str(len(runs))))
            runs[-1].write_bytes(b"".join(run))
        # What is published is sorted already, and then need not be compared a billion times.
        parts = map(_read_run, runs)
        sorted_digests = chain.from_iterable(parts) if in_order else heapq.merge(*parts)
        made = Path(folder, "list")
        with made.open("wb") as file:
            before = b""
            for found in sorted_digests:
                if found != before:
                    file.write(found)
                    before, count = found, count + 1
            file.flush()
            os.fsync(file.fileno())
        made.replace(target)
    return count


def _read_run(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while found := file.read(_SIZE):
            yield found
