"""Errors of a database after which trying again may help."""

import sqlite3
from typing import Any

_LOCK_NOT_AVAILABLE, _QUERY_CANCELED = "55P03", "57014"


class DatabaseUnavailableError(Exception):
    """The database is unreachable, locked or too slow: nothing was committed, try again."""


class DatabaseBusyError(DatabaseUnavailableError):
    """The database answers, but a lock is held by others, or a statement timed out."""


class ConflictError(Exception):
    """Two transactions collided: nothing was committed, the transaction can run again."""


def is_busy(error: Any) -> bool:
    """Whether an error of a driver means a lock timeout or a statement timeout."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return True
    return getattr(error, "pgcode", None) in (_LOCK_NOT_AVAILABLE, _QUERY_CANCELED)
