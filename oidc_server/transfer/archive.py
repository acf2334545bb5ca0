"""What a backup holds: lines of JSON, alike whichever database they are from.

The first line is the head. Each table has a line with its columns, one line for each row, and a
line with their number and checksum; the last line ends the backup.
"""

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table

from oidc_server.transfer import Progress, TransferError, rows, tables
from oidc_server.transfer.reading import Source
from oidc_server.transfer.rows import Sum
from oidc_server.transfer.tables import Kind

_FORMAT = "oidc-server backup 1"
_GZIP = 31
"""`wbits` of zlib for the header and the checksum of gzip."""


@dataclass(frozen=True)
class Head:
    """What a backup says of itself. Its secrets open what is sealed inside."""

    made_at: str
    issuer: str
    schema: str
    rows: int
    secrets: list[str]
    format: str = _FORMAT


@dataclass(frozen=True)
class Part:
    """A table of a backup. Its rows have to be read to their end before the next part."""

    table: str
    kinds: dict[str, Kind]
    rows: Iterator[dict[str, Any]]


def write(
    source: Source, *, issuer: str, secrets: Iterable[str], now: datetime, progress: Progress
) -> Iterator[bytes]:
    """A whole database, compressed, in pieces."""
    head = Head(now.isoformat(), issuer, source.version, source.count(), list(secrets))
    return _compressed(_lines(source, head, progress))


def _lines(source: Source, head: Head, progress: Progress) -> Iterator[bytes]:
    yield _json(asdict(head))
    done = 0
    for table in source.tables:
        told = Sum()
        yield _json({"table": table.name, "columns": tables.kinds(table)})
        for line in _rows(source, table):
            told.add(line)
            yield line
            done += 1
            if not done % tables.BATCH:
                progress(done, head.rows)
        yield _json({"end": table.name, "rows": told.rows, "sum": told.hex})
    progress(done, head.rows)
    yield _json({"end": "backup", "rows": done})


def _rows(source: Source, table: Table) -> Iterator[bytes]:
    kinds = tables.kinds(table)
    for row in tables.read(source.connection, table):
        yield rows.to_line(kinds, row)


def _compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=6, wbits=_GZIP)
    for line in lines:
        if packed := packer.compress(line + b"\n"):
            yield packed
    yield packer.flush()


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


class Archive:
    """A backup that is being read, from the front to the end."""

    def __init__(self, content: Iterable[bytes]) -> None:
        """Read the head; raises `TransferError` if this is no backup."""
        self._lines = _unpacked(content)
        head = self._next()
        if head.get("format") != _FORMAT:
            raise TransferError("The file holds no backup that this version knows.")
        self.head = Head(**head)

    def parts(self) -> Iterator[Part]:
        """Each table, after those that it refers to.

        Raises `TransferError` for what is not as it was written.
        """
        done = 0
        while "table" in (line := self._next()):
            told = Sum()
            yield Part(line["table"], line["columns"], self._rows(line, told))
            done += told.rows
        if line != {"end": "backup", "rows": done} or next(self._lines, None) is not None:
            raise TransferError(_BROKEN)

    def _rows(self, head: dict[str, Any], told: Sum) -> Iterator[dict[str, Any]]:
        for line in self._lines:
            if not line.startswith(b"["):
                end = {"end": head["table"], "rows": told.rows, "sum": told.hex}
                if json.loads(line) != end:
                    break
                return
            told.add(line)
            yield rows.from_values(head["columns"], json.loads(line))
        raise TransferError(_BROKEN)

    def _next(self) -> dict[str, Any]:
        line = next(self._lines, b"")
        if not line.startswith(b"{"):
            raise TransferError(_BROKEN)
        found: dict[str, Any] = json.loads(line)
        return found


_BROKEN = "The content of the backup is not what it says of itself."


def _unpacked(content: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of compressed pieces."""
    unpacker, rest = zlib.decompressobj(wbits=_GZIP), b""
    for piece in content:
        try:
            *lines, rest = (rest + unpacker.decompress(piece)).split(b"\n")
        except zlib.error:
            raise TransferError(_BROKEN) from None
        yield from lines
    if rest or not unpacker.eof:
        raise TransferError(_BROKEN)
