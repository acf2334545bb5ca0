"""Moving a whole database: into a backup, back from it, and from SQLite to PostgreSQL.

`tables` knows how to read and write any table of either database at any version of the schema,
`rows` says what a row is outside a database, `reading` and `writing` hold the one transaction on
each side. `archive` is the stream of lines that a backup holds;
`restoring` and `copying` are what commands ask for. See ADR 0020.
`portable` is less, and for others to read: people and applications as JSON.
"""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


class TransferError(Exception):
    """It cannot be done, and nothing was changed. The text says why, and what to do."""


class InUseError(TransferError):
    """The target is no empty database."""
