"""The tables of a database at any version of the schema: reflected, not taken from our models."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql

from oidc_server.domain import Base

Kind = Literal["text", "integer", "boolean", "binary", "json"]

BATCH = 1000
"""Rows that are in memory at once."""


def reflect(connection: Connection) -> list[Table]:
    """Our tables, each after those that it refers to. Others in the database are left alone.

    A migration that drops a table must keep its name known here, for older backups.
    """
    metadata = MetaData()
    event.listen(metadata, "column_reflect", _as_plain_types)
    metadata.reflect(connection, only=lambda name, _: name in Base.metadata.tables)
    return list(metadata.sorted_tables)


def _as_plain_types(_inspector: object, _table: object, column: Any) -> None:
    if isinstance(column["type"], postgresql.JSONB):
        column["type"] = postgresql.JSONB(none_as_null=True)
    elif isinstance(column["type"], JSON):
        column["type"] = JSON(none_as_null=True)
    elif isinstance(column["type"], Uuid):
        column["type"] = postgresql.UUID(as_uuid=False)


def kinds(table: Table) -> dict[str, Kind]:
    """Column → what its values are, alike on both databases."""
    return {column.name: _kind(column) for column in table.columns}


def _kind(column: Column[Any]) -> Kind:
    match column.type:
        case JSON():
            return "json"
        case LargeBinary():
            return "binary"
        case Boolean():
            return "boolean"
        case Integer():
            return "integer"
        case String() | Uuid():
            return "text"
    raise TypeError(f"{column} has a type that is not told yet: {column.type!r}")


def count(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def read(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    """Every row, as many at a time as a batch."""
    every = select(table).execution_options(stream_results=True, yield_per=BATCH)
    yield from connection.execute(every)


def write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Add some rows."""
    if rows:
        connection.execute(insert(table), rows)
