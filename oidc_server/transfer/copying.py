"""From one database to another of either kind: all of it, verified before it is there."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from oidc_server.database import Database, Transaction
from oidc_server.domain import ledger
from oidc_server.transfer import Progress, TransferError, rows, tables
from oidc_server.transfer.reading import reading
from oidc_server.transfer.rows import Sum
from oidc_server.transfer.writing import Target, expect_nobody, writing


@dataclass(frozen=True)
class Copied:
    """What was copied, and what does not add up in its ledger: normally nothing."""

    rows_of: dict[str, int]
    mismatches: list[ledger.Mismatch]


def expect_stopped(source: Database) -> None:
    """Raise `TransferError` where a server still writes. Ask before anything else connects."""
    with source.connection() as connection, connection.begin():
        expect_nobody(connection)


def copy(source: Database, target: Database, progress: Progress) -> Copied:
    """Copy every row to an empty target; commits after all were compared.

    Raises `DatabaseUnavailableError`, `TransferError`: then the target is as it was.
    """
    with reading(source) as origin, writing(target, origin.version) as to:
        total, done = origin.count(), 0
        sums: dict[str, Sum] = {}
        with to.filling():
            for table in origin.tables:
                sums[table.name] = Sum()
                for batch in _batches(origin.connection, table, sums[table.name]):
                    tables.write(to.connection, _same(to, table), batch)
                    done += len(batch)
                    progress(done, total)
        for name, copied in sums.items():
            _compare(to, to.tables[name], copied)
        mismatches = ledger.reconcile(Transaction(to.connection, "write", {}, begun=True))
        expect_nobody(origin.connection)
    return Copied({name: copied.rows for name, copied in sums.items()}, mismatches)


def _same(target: Target, table: Table) -> Table:
    """The same table of the target; raises `TransferError` if its columns differ."""
    found = target.tables.get(table.name)
    if found is None or tables.kinds(found) != tables.kinds(table):
        raise TransferError(f"The table {table.name} is another one there than here.")
    return found


def _batches(connection: Connection, table: Table, told: Sum) -> Iterator[list[dict[str, object]]]:
    kinds, batch = tables.kinds(table), []
    for row in tables.read(connection, table):
        told.add(rows.to_line(kinds, row))
        batch.append(dict(zip(kinds, row, strict=True)))
        if len(batch) == tables.BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _compare(target: Target, table: Table, expected: Sum) -> None:
    """Read back what was written: the same rows, to the last byte."""
    kinds, found = tables.kinds(table), Sum()
    for row in tables.read(target.connection, table):
        found.add(rows.to_line(kinds, row))
    if found.rows != expected.rows or found.hex != expected.hex:
        raise TransferError(
            f"The copy of {table.name} is not what was read: {found.rows} of {expected.rows} rows,"
            " or another content. Nothing was copied."
        )
