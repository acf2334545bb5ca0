"""Restoring a backup: its data, and nothing that was given out to get at it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from oidc_server import resources, schema
from oidc_server.database import Database, Transaction
from oidc_server.domain import audit, ledger, restoration, signing_keys
from oidc_server.domain.audit import COMMAND_LINE, Event
from oidc_server.security.encryption import Vault
from oidc_server.security.jose import ALGORITHMS
from oidc_server.transfer import Progress, TransferError, tables
from oidc_server.transfer.archive import Archive, Part
from oidc_server.transfer.writing import Target, writing


@dataclass(frozen=True)
class Restored:
    """How many rows are back, what was ended, and what does not add up in the ledger."""

    rows: int
    ended: restoration.Ended
    mismatches: list[ledger.Mismatch]


def restore(
    archive: Archive,
    database: Database,
    vault: Vault,
    now: datetime,
    progress: Progress,
    *,
    replace: bool = False,
    before_commit: Callable[[], object] = lambda: None,
) -> Restored:
    """Fill the database with a backup, migrate it, and end all that was given out before.

    Raises `DatabaseUnavailableError`; `TransferError` and what reading the file raises, at its very
    end too, or what `before_commit` does: then the database is as it was.
    """
    newest = resources.newest_migration()
    if archive.head.schema > newest:
        raise TransferError(
            f"The backup is of a newer version: its schema is {archive.head.schema}, and this"
            f" version knows {newest}. Restore it with the version that made it, or a newer one."
        )
    fresh = signing_keys.generate(ALGORITHMS)
    with writing(database, archive.head.schema, replace=replace) as target:
        restored = _fill(target, archive, progress)
        schema.move(target.connection, newest)
        db = Transaction(target.connection, "write", {}, begun=True)
        ended = restoration.begin_anew(db, vault, fresh, now)
        audit.record(
            db,
            Event.RESTORED,
            origin=COMMAND_LINE,
            now=now,
            made_at=archive.head.made_at,
            schema=archive.head.schema,
        )
        mismatches = ledger.reconcile(db)
        db.flush()
        db.close()
        before_commit()
    return Restored(restored, ended, mismatches)


def _fill(target: Target, archive: Archive, progress: Progress) -> int:
    done = 0
    with target.filling():
        for part in archive.parts():
            table = target.tables.get(part.table)
            if table is None or tables.kinds(table) != part.kinds:
                raise TransferError(f"The table {part.table} is another one here.")
            for batch in _batches(part):
                try:
                    tables.write(target.connection, table, batch)
                except IntegrityError as error:
                    reason = str(error.orig).partition("\n")[0]
                    raise TransferError(f"{part.table}: {reason}") from error
                done += len(batch)
                progress(done, archive.head.rows)
    return done


def _batches(part: Part) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for row in part.rows:
        batch.append(row)
        if len(batch) == tables.BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
