"""Files that a command reads, of which `-` is standard input."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """The bytes of the file, to be read piece by piece; raises `OSError`."""
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    with file.open("rb") as found:
        yield found
