"""A copy of a SQLite database beside it, from before a migration changed it."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, text

from oidc_server.observability.logs import get_logger

_KEPT = 3
_log = get_logger(__name__)


class SnapshotError(OSError):
    """There is no copy, so nothing was changed."""


def take(connection: Connection, revision: str) -> Path:
    """Copy the database as it is committed, and tell where; called where nobody else migrates.

    The copy is named after the migration that it was made before, readable to its owner, and
    whole when it has its name. The newest three stay. Raises `SnapshotError`.
    """
    database = _file_of(connection)
    copy = database.with_name(f"{database.name}.before-{revision}.bak")
    draft = copy.with_name(f".{copy.name}.part")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(database, draft)
        draft.replace(copy)
    except (OSError, sqlite3.Error) as error:
        raise SnapshotError(
            f"{database} has to be copied before its upgrade, and cannot be: {error}."
            " Make room beside it; nothing was changed."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    _prune(database)
    _log.info("database copied before its upgrade", copy=str(copy))
    return copy


def _file_of(connection: Connection) -> Path:
    return Path(connection.execute(text("PRAGMA database_list")).all()[0][2])


def _copy(database: Path, draft: Path) -> None:
    source, target = sqlite3.connect(database), sqlite3.connect(draft)
    try:
        source.backup(target)
        # Without WAL, the copy is a single file.
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
        source.close()


def _prune(database: Path) -> None:
    copies = sorted(
        database.parent.glob(f"{database.name}.before-*.bak"),
        key=lambda copy: copy.stat().st_mtime_ns,
    )
    for copy in copies[:-_KEPT]:
        copy.unlink(missing_ok=True)
