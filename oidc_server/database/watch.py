"""Timing of statements: slow ones are reported to a callback."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event

_TABLE = re.compile(
    r"\s*(\w+)\b(?:.*?\b(?:FROM|INTO|UPDATE)\s+(\w+)|\s+(\w+))?", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True)
class Watch:
    """Calls `tell` with name and duration of each statement that took `above` seconds or more.

    It is called on the thread of the statement, and never gets parameters.
    """

    above: float
    tell: Callable[[str, float], None]

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Time the block as a statement of this name, also if it raises."""
        began = time.perf_counter()
        try:
            yield
        finally:
            if (took := time.perf_counter() - began) >= self.above:
                self.tell(name, took)


def watch_session(engine: Engine, watch: Watch) -> None:
    """Time what SQLAlchemy executes itself, such as for ORM sessions.

    `Transaction` times each `Statement`.
    """

    def begin(connection: Any, *_: object) -> None:
        connection.info["began"] = time.perf_counter()

    def end(connection: Any, _cursor: object, sql: str, *_: object) -> None:
        took = time.perf_counter() - connection.info["began"]
        if took >= watch.above:
            watch.tell(_title(sql), took)

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)


def _title(sql: str) -> str:
    """The verb and the table of a statement, such as `UPDATE users`: it may hold secrets."""
    found = _TABLE.match(sql)
    return " ".join(filter(None, found.groups())) if found else "statement"
