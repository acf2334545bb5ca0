"""How long statements take: who wants to know, and how they are timed."""

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
    """`tell` is given the name of each statement that took `above` seconds or more, and its time.

    It is called on the thread that waited for it, and gets no parameter.
    """

    above: float
    tell: Callable[[str, float], None]

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Tell of what happens inside as of a statement, if it takes long; of failures too."""
        began = time.perf_counter()
        try:
            yield
        finally:
            if (took := time.perf_counter() - began) >= self.above:
                self.tell(name, took)


def watch_session(engine: Engine, watch: Watch) -> None:
    """Time what goes through SQLAlchemy itself: ORM sessions, and the beginnings of transactions.

    A `Statement` does not: `Transaction` times it.
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
    """What a statement does, and to which table: no more of it is told."""
    found = _TABLE.match(sql)
    return " ".join(filter(None, found.groups())) if found else "statement"
