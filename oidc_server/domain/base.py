"""What every table shares: the declarative base, column types, ids, domain errors."""

import os
import threading
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    and_,
    bindparam,
    delete,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class DomainError(Exception):
    """A rule of the domain was broken; `web/errors/` turns it into a response."""


class FieldError(DomainError):
    """The value of one `field` is not acceptable; the text says why."""

    field: str = ""


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since 1970: alike on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Identifier(TypeDecorator[str]):
    """A UUID as its canonical text; PostgreSQL keeps the sixteen bytes."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=False))
        return dialect.type_descriptor(String(36))


class WordSet(TypeDecorator[frozenset[str]]):
    """A set of words (scopes, roles), stored sorted and separated by spaces as on the wire."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, _dialect: Dialect) -> str | None:
        return None if value is None else " ".join(sorted(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> frozenset[str] | None:
        return None if value is None else frozenset(value.split())


AFTER_ALL = "\U0010ffff"
"""Sorts after every character of an `Ordered` column: the upper bound of a prefix search."""
Ordered = Text().with_variant(Text(collation="C"), "postgresql")
"""Text with binary collation on both databases, so that an index serves prefix searches."""

Document = JSON().with_variant(postgresql.JSONB(), "postgresql")
"""A JSON document."""
OptionalDocument = JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True), "postgresql"
)
"""A JSON document, or NULL."""


class Base(DeclarativeBase):
    """Every table of the server."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def new_id(now: datetime) -> str:
    """A UUIDv7 (RFC 9562 §5.7): sorts by the time it was made.

    What this process makes in one millisecond sorts in the order in which it was made (§6.2,
    method 2), so that rows written together are read back as they were written.
    """
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1) & ((1 << 48) - 1)
    return str(uuid.UUID(int=_latest.next(milliseconds)))


class _Latest:
    """The id that was made last, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds, self._random = -1, 0

    def next(self, milliseconds: int) -> int:
        drawn = int.from_bytes(os.urandom(10))
        with self._lock:
            if milliseconds == self._milliseconds:
                self._random += 1 + (drawn & ((1 << 40) - 1))
            else:
                # Of 74 bits the first is left free, so that adding never leads into the next
                # millisecond.
                self._milliseconds, self._random = milliseconds, drawn & ((1 << 73) - 1)
            random = self._random
        high, low = random >> 62, random & ((1 << 62) - 1)
        return milliseconds << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low


_latest = _Latest()


def first_id(since: datetime) -> str:
    """The smallest UUIDv7 of this millisecond: every id made before it is smaller."""
    milliseconds = max(0, (since - _EPOCH) // timedelta(milliseconds=1))
    return str(uuid.UUID(int=milliseconds << 80))


def parse_id(text: str) -> str | None:
    """`text` as a canonical UUID, or None. Parse what comes from outside before a query."""
    try:
        parsed = str(uuid.UUID(text))
    except ValueError:
        return None
    return parsed if parsed == text.lower() else None


def table_of(mapped: type[Base]) -> Table:
    """The table of a mapped class: an UPDATE through the class costs eight times as much."""
    table = mapped.__table__
    assert isinstance(table, Table)  # noqa: S101 - every mapped class of ours has a plain table
    return table


def references_to(table: Table) -> list[tuple[Column[Any], Column[Any]]]:
    """The columns of other tables that refer to this one, each with what it refers to."""
    return [
        (key.parent, key.column)
        for other in Base.metadata.sorted_tables
        for key in sorted(other.foreign_keys, key=lambda key: key.parent.name)
        if key.column.table is table and other is not table
    ]


def insert_all(table: Table) -> Insert:
    """An INSERT with a parameter for each column of the table, named like it.

    It is PostgreSQL's, for the sake of ON CONFLICT, which SQLite spells alike.
    """
    return insert(table).values({column.name: bindparam(column.name) for column in table.columns})


def delete_some(table: Table, condition: ColumnElement[bool]) -> Delete:
    """A DELETE of at most `batch` rows, so that its locks are short.

    Rows that others have locked are skipped: once changed, they may not meet the condition any
    more.
    """
    (key,) = table.primary_key.columns
    some = select(key).where(condition).limit(bindparam("batch"))
    # SQLite has one writer at a time; the clause is left out there.
    return delete(table).where(key.in_(some.with_for_update(skip_locked=True)))


def unchanged(table: Table, names: Iterable[str]) -> ColumnElement[bool]:
    """The condition that these columns still have the values of `seen`: optimistic locking.

    Without it, a change that was decided on a row as it was read could undo another one that was
    committed meanwhile.
    """
    return and_(
        *(
            table.c[name].is_not_distinct_from(bindparam(f"seen_{name}", type_=table.c[name].type))
            for name in names
        )
    )


def seen(row: object, names: Iterable[str]) -> dict[str, Any]:
    """The parameters of `unchanged`: the values of these columns, as they were read."""
    return {f"seen_{name}": getattr(row, name) for name in names}
