"""What a database says that a retry may cure."""

import sqlite3
from typing import Any

_LOCK_NOT_AVAILABLE, _QUERY_CANCELED = "55P03", "57014"


class DatabaseUnavailableError(Exception):
    """The database is away, locked, or gave up: nothing was committed, a retry may work."""


class DatabaseBusyError(DatabaseUnavailableError):
    """It answers, but somebody else holds what is needed, or it gave up on a statement itself."""


class ConflictError(Exception):
    """Two transactions collided: nothing was committed, the unit may run again."""


def is_busy(error: Any) -> bool:
    """Whether an error of a driver says that a lock, or enough time, was not to be had."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return True
    return getattr(error, "pgcode", None) in (_LOCK_NOT_AVAILABLE, _QUERY_CANCELED)
