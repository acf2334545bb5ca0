"""Whether a migration only adds, as ADR 0023 says it: the schemas before and after it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, inspect, text

_HARMLESS = frozenset({"CASCADE", "SET NULL"})


@dataclass(frozen=True)
class Schema:
    """What a SQLite database has. `rules` are what rows may break, with the columns they are of."""

    columns: dict[str, dict[str, Any]]
    foreign_keys: dict[str, list[Any]]
    rules: dict[str, dict[str, list[str]]]


def read_schema(connection: Connection) -> Schema:
    """The schema of a database, without Alembic's own table."""
    inspector = inspect(connection)
    tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
    return Schema(
        {table: {one["name"]: one for one in inspector.get_columns(table)} for table in tables},
        {table: list(inspector.get_foreign_keys(table)) for table in tables},
        {table: _rules(connection, table) for table in tables},
    )


def _rules(connection: Connection, table: str) -> dict[str, list[str]]:
    inspector = inspect(connection)
    unique: list[Any] = [
        *inspector.get_unique_constraints(table),
        *(one for one in inspector.get_indexes(table) if one["unique"]),
    ]
    triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :it")
    return {
        **{f"UNIQUE {one['column_names']}": _named(one["column_names"]) for one in unique},
        **{f"CHECK {one['sqltext']}": [] for one in inspector.get_check_constraints(table)},
        **{f"trigger {name}": [] for name in connection.scalars(triggers, {"it": table})},
    }


def _named(columns: Iterable[str | None]) -> list[str]:
    """The columns of an index, without what is an expression."""
    return [name for name in columns if name is not None]


def breaches(before: Schema, after: Schema) -> list[str]:
    """What breaks a program that knows the schema of before; empty if it only adds."""
    found = [f"{table} is gone" for table in before.columns if table not in after.columns]
    for table in after.columns:
        if table in before.columns:
            found += _changes_of(table, before, after)
        else:
            found += [
                f"rows of {key['referred_table']} cannot be deleted without those of {table}"
                for key in after.foreign_keys[table]
                if key["referred_table"] in before.columns
                and key["options"].get("ondelete") not in _HARMLESS
            ]
    return found


def _changes_of(table: str, before: Schema, after: Schema) -> list[str]:
    old, new = before.columns[table], after.columns[table]
    found = [f"{table}.{name} is gone" for name in old if name not in new]
    for name, column in new.items():
        if name not in old:
            if not column["nullable"] and column["default"] is None:
                found.append(f"{table}.{name} must be given")
        elif _promise(column) != _promise(old[name]):
            found.append(f"{table}.{name} is another one")
    found += [
        f"{table} has {rule}"
        for rule, columns in after.rules[table].items()
        if rule not in before.rules[table]
        and all(name in old or not _may_be_empty(new[name]) for name in columns)
    ]
    if _references(after, table) != _references(before, table):
        found.append(f"{table} refers to other tables")
    return found


def _may_be_empty(column: Any) -> bool:
    """Rows of programs of before have nothing in it; and nothing is not twice the same."""
    return bool(column["nullable"]) and column["default"] is None


def _promise(column: Any) -> tuple[str, bool, Any]:
    return str(column["type"]), column["nullable"], column["default"]


def _references(schema: Schema, table: str) -> set[tuple[str, ...]]:
    return {
        (*key["constrained_columns"], key["referred_table"], str(key["options"].get("ondelete")))
        for key in schema.foreign_keys[table]
    }
