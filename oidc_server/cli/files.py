"""Files that a command reads or makes; `-` is standard input or output."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from oidc_server.cli.output import fail


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """The bytes of the file, to be read piece by piece; raises `OSError`."""
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    with file.open("rb") as found:
        yield found


@contextmanager
def new_file(file: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone, that is there when it is complete; raises `OSError`.

    Ends the command if there is one of this name, or no folder for it.
    """
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if file.exists():
        fail(f"{file} is there already; choose another name.")
    if not file.parent.is_dir():
        fail(f"There is no folder {file.parent}.")
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")  # others may make it too
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as into:
            yield into
            into.flush()
            os.fsync(into.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
