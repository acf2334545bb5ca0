"""Importing a library without what it takes along only because that is there.

`pybreaker` loads the client of Redis, and `structlog` the libraries `rich` and `greenlet`, as soon
as they are installed, for features that we do not use: 13 MB of each process, and a tenth of its
start.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(name: str) -> Iterator[None]:
    """Inside, an import of the package `name` fails as if it were not installed."""
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]  # None stands for no module
    if name in modules:
        yield
        return
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
