"""People and applications as lines of JSON, to be read by others and taken in elsewhere.

A line is a row: `{"table": "users", "id": …}` with the names of our columns. Times are ISO 8601,
sets are lists, bytes are base64. Ids stay, and so does every `sub` and `client_id`. What somebody
was given (sessions, tokens, codes) stays behind, and so do second factors, which are sealed.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    insert,
    select,
)
from sqlalchemy.exc import DataError, IntegrityError

from oidc_server.database import Transaction
from oidc_server.domain import Base
from oidc_server.domain.base import Identifier, Instant, WordSet, parse_id
from oidc_server.domain.client_metadata import ClientMetadata
from oidc_server.transfer import tables
from oidc_server.transfer.reading import Source

_TABLES = (
    "roles",
    "clients",
    "client_origins",
    "client_secrets",
    "resources",
    "users",
    "role_assignments",
    "pairwise_subjects",
    "consents",
)
"""Each after those that it refers to."""
_LEFT_OUT = {"client_secrets": {"sealed"}}
"""Nobody but this server opens it."""
_NOT_COMPARED = {"created_at", "updated_at", "assigned_at", "granted_at", "revision"}
_GONE = "deleted_at"
_MOST_TOLD = 20


class ImportProblemsError(Exception):
    """Nothing was taken in. The text names lines, and what is wrong with each."""


@dataclass
class Taken:
    """How many lines were new, and how many were there already, alike."""

    added: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0


def export(source: Source, *, password_hashes: bool) -> Iterator[bytes]:
    """A line for each row, except of deleted people."""
    gone: dict[str, set[Any]] = {"users": set(), "clients": set()}
    for name in _TABLES:
        table = Base.metadata.tables[name]
        left_out = _LEFT_OUT.get(name, set()) | (set() if password_hashes else {"password_hash"})
        every = select(table).execution_options(stream_results=True, yield_per=tables.BATCH)
        for row in source.connection.execute(every).mappings():
            if row.get(_GONE) is not None:
                gone[name].add(row["id" if name == "users" else "client_id"])
            elif row.get("user_id") in gone["users"] or row.get("client_id") in gone["clients"]:
                continue
            else:
                told = {key: _told(value) for key, value in row.items() if key not in left_out}
                yield json.dumps({"table": name, **told}, separators=(",", ":")).encode() + b"\n"


def take_in(db: Transaction, lines: Iterable[bytes]) -> Taken:
    """Add what is not there; the same again changes nothing.

    Raises `ImportProblemsError` with every line that is wrong or differs from what is there, at
    most some of them; then the transaction has to be rolled back.
    """
    taken, problems = Taken(), []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            _take(db, orjson.loads(line), taken)  # no NaN: what reads the database refuses it
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            problems.append(f"line {number}: {error}")
    if problems:
        shown = problems[:_MOST_TOLD]
        if len(problems) > len(shown):
            shown.append(f"and {len(problems) - len(shown)} more lines")
        raise ImportProblemsError("\n".join(["Nothing was imported.", *shown]))
    return taken


def _take(db: Transaction, told: Any, taken: Taken) -> None:
    if not isinstance(told, dict) or told.get("table") not in _TABLES:
        raise ValueError(f"a line is an object whose table is one of {', '.join(_TABLES)}")
    name = told.pop("table")
    table = Base.metadata.tables[name]
    row = _read(table, told)
    if _is_there(db, table, row):
        taken.unchanged += 1
        return
    try:
        with db.savepoint():
            db.session.execute(insert(table), row)
    except (IntegrityError, DataError) as error:
        reason = str(error.orig).partition("\n")[0]
        raise ValueError(f"{name} {_name_of(table, row)} does not fit ({reason})") from None
    taken.added[name] = taken.added.get(name, 0) + 1


def _is_there(db: Transaction, table: Table, row: Mapping[str, Any]) -> bool:
    """Whether the row is there, alike; raises `ValueError` if another is in its place."""
    key = and_(*(column == row[column.name] for column in table.primary_key.columns))
    found = db.session.execute(select(table).where(key)).mappings().first()
    if found is None:
        return False
    other = sorted(name for name in row if name not in _NOT_COMPARED and found[name] != row[name])
    if other:
        differs = ", ".join(other)
        raise ValueError(f"{table.name} {_name_of(table, row)} is there with another {differs}")
    return True


def _name_of(table: Table, row: Mapping[str, Any]) -> str:
    return " ".join(str(row[column.name]) for column in table.primary_key.columns)


def _read(table: Table, told: dict[str, Any]) -> dict[str, Any]:
    """The row in a line; raises `ValueError`."""
    known = {column.name: column for column in table.columns}
    if strange := sorted(told.keys() - known.keys()):
        raise ValueError(f"{table.name} have no {strange[0]}")
    row = {name: _value(known[name], value) for name, value in told.items()}
    for column in table.columns:
        if row.get(column.name) is None and not column.nullable and column.server_default is None:
            raise ValueError(f"{table.name} need {column.name}")
    if table.name == "clients":
        _expect_client(row["metadata"])
    return row


def _expect_client(metadata: dict[str, Any]) -> None:
    """Raise `ValueError` for what nobody could read as metadata: lists of clients would fail."""
    try:
        ClientMetadata.from_document(metadata)
    except TypeError:
        raise ValueError("metadata is not that of a client") from None


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _value(column: Column[Any], value: Any) -> Any:
    """What a column holds, from what a line says; raises `ValueError`."""
    if value is None:
        return None
    read = next((read for kind, read in _READERS if isinstance(column.type, kind)), _document)
    try:
        return read(value)
    except (TypeError, AttributeError):
        raise ValueError(f"{column.name} is not what it has to be") from None


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError
    return frozenset(value)


def _bytes(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def _identifier(value: str) -> str:
    parsed = parse_id(value)
    if parsed is None:
        raise TypeError
    return parsed


def _only(kind: type[Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind or (kind is str and "\0" in value):
            raise TypeError
        return value

    return read


_document = _only(dict)
_READERS: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = (
    (Instant, _moment),
    (WordSet, _words),
    (Identifier, _identifier),
    (LargeBinary, _bytes),
    (Boolean, _only(bool)),
    (Integer, _only(int)),
    (String, _only(str)),
)
