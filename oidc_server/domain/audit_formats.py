"""The audit log as files: CSV for spreadsheets, JSON lines for programs."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum
from typing import Any

import orjson

from oidc_server.domain.audit_trail import Entry


class Format(StrEnum):
    """Kinds of files."""

    CSV = "csv"
    JSONL = "jsonl"


_COLUMNS = [field.name for field in fields(Entry)]
_RENAMED = {"reference": "request_id"}
_BEGINS_A_FORMULA = re.compile(r"""(^|;)(?=[\s"]*[=+@\uff1d\uff0b\uff20\uff0d-])""")
"""Full-width signs count too, and so does the place after a semicolon, which separates cells in
locales with a decimal comma."""


def head(form: Format) -> bytes:
    """The header line of a file."""
    if form == Format.JSONL:
        return b""
    return _csv([[_RENAMED.get(name, name) for name in _COLUMNS]])


def lines(form: Format, entries: Iterable[Entry]) -> bytes:
    """One line for each event (CSV of RFC 4180, or a JSON object)."""
    if form == Format.CSV:
        return _csv([_cell(getattr(entry, name)) for name in _COLUMNS] for entry in entries)
    return b"".join(orjson.dumps(facts(entry), default=str) + b"\n" for entry in entries)


def facts(entry: Entry) -> dict[str, Any]:
    """An event as a mapping, by its public field names."""
    return {_RENAMED.get(name, name): _plain(getattr(entry, name)) for name in _COLUMNS}


def legible(text: str) -> str:
    """`text` with control characters and line breaks replaced, for terminals and line readers."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _plain(value: object) -> object:
    return value.isoformat(timespec="microseconds") if hasattr(value, "isoformat") else value


def _cell(value: object) -> str:
    """A cell as text that no spreadsheet takes for a formula (CSV injection)."""
    value = _plain(value)
    if value is None:
        return ""
    text = legible(value if isinstance(value, str) else orjson.dumps(value).decode())
    return _BEGINS_A_FORMULA.sub(r"\1'", text)


def _csv(rows: Iterable[list[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue().encode()
