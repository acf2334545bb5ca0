"""What a row is outside a database: JSON that both databases read and write alike."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from oidc_server.transfer.tables import Kind

_MODULUS = 1 << 256


class Sum:
    """A checksum of rows in any order, since databases differ in theirs: SHA-256 of each, added."""

    def __init__(self) -> None:
        self.rows = 0
        self._total = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self._total = (self._total + int.from_bytes(hashlib.sha256(line).digest())) % _MODULUS

    @property
    def hex(self) -> str:
        return f"{self._total:064x}"


def to_line(kinds: Mapping[str, Kind], row: Sequence[Any]) -> bytes:
    """A row as a JSON array in the order of the columns: the same row gives the same bytes."""
    values = [_told(kind, value) for kind, value in zip(kinds.values(), row, strict=True)]
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode("ascii")


def from_values(kinds: Mapping[str, Kind], values: Sequence[Any]) -> dict[str, Any]:
    """The row to write, from the values of a `to_line`; raises `ValueError`."""
    if len(values) != len(kinds):
        raise ValueError("a row has another number of values than its table has columns")
    return {
        name: base64.b64decode(value, validate=True)
        if kind == "binary" and value is not None
        else value
        for (name, kind), value in zip(kinds.items(), values, strict=True)
    }


def _told(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind == "binary":
        return base64.b64encode(value).decode("ascii")
    return _whole_numbers(value) if kind == "json" else value


def _whole_numbers(value: Any) -> Any:
    """A document with one spelling of each number: PostgreSQL returns 1e3 as 1000."""
    if isinstance(value, dict):
        return {name: _whole_numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
