"""Which tables a request changed for good: watched, since comparing every row takes too long."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from oidc_server.database import Statement, Transaction
from tests.site import Site

_WRITES = re.compile(
    r"\s*(?:WITH .*?\)\s*)?(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.DOTALL
)


class Writes:
    """The tables that were changed in transactions that committed, since `take` was called."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._kept: list[str] = []

    def take(self) -> set[str]:
        kept, self._kept = set(self._kept), []
        return kept

    def saw(self, sql: str, changed: object) -> None:
        found = _WRITES.match(sql)
        if found is not None and changed:
            self._open.append(found[1])

    def committed(self) -> None:
        self._kept += self._open
        self._open = []

    def rolled_back(self) -> None:
        self._open = []

    def after_cursor_execute(
        self, _connection: Connection, cursor: Any, statement: str, *_others: Any
    ) -> None:
        self.saw(statement, cursor.rowcount != 0)


@contextmanager
def watched(site: Site) -> Iterator[Writes]:
    """Watch a site that answers one request at a time."""
    writes, engine = Writes(), site.runtime.database.engine
    event.listen(engine, "after_cursor_execute", writes.after_cursor_execute)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("first", "all", "run"):
            patch.setattr(Transaction, name, _watching(getattr(Transaction, name), writes))
        patch.setattr(Transaction, "later", _at_once)  # else nobody is told what it changed
        for name, told in (("commit", writes.committed), ("roll_back", writes.rolled_back)):
            patch.setattr(Transaction, name, _telling(getattr(Transaction, name), told))
        yield writes
    event.remove(engine, "after_cursor_execute", writes.after_cursor_execute)


def _at_once(db: Transaction, statement: Statement, **parameters: Any) -> None:
    db.run(statement, **parameters)


def _watching(original: Any, writes: Writes) -> Any:
    def watching(db: Transaction, statement: Statement, **parameters: Any) -> Any:
        found = original(db, statement, **parameters)
        writes.saw(statement.compiled(db._dialect).sql, found)
        return found

    return watching


def _telling(original: Any, told: Callable[[], None]) -> Any:
    def telling(db: Transaction) -> None:
        original(db)
        told()

    return telling
