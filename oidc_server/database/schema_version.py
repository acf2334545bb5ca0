"""Which schema a database has, and the oldest program that may work on it (ADR 0023).

Both stand in Alembic's table; `migrations/env.py` writes them.
"""

from sqlalchemy import Text, column, select, table
from sqlalchemy.exc import DBAPIError

from oidc_server.database.statements import Statement
from oidc_server.database.transactions import Transaction

_TABLE = table("alembic_version")
_VERSION = Statement(select(column("version_num", Text)).select_from(_TABLE))

OLDEST_PROGRAM = Statement(select(column("oldest_program", Text)).select_from(_TABLE))
"""The newest migration that the oldest such program knows. Only a schema that is newer than this
program is sure to have the column."""


class NoTablesError(Exception):
    """The table of the migrations cannot be read: as far as one can tell, there is none."""


def version(db: Transaction) -> str | None:
    """The newest migration that ran, None if all were taken back; raises `NoTablesError`."""
    try:
        row = db.first(_VERSION)
    except DBAPIError:
        raise NoTablesError from None
    found: str | None = row and row.version_num
    return found


def is_for(db: Transaction, newest_known: str) -> bool:
    """Whether a program that knows migrations up to `newest_known` may work on this newer one."""
    return goes_on(newest_known, db.first(OLDEST_PROGRAM).oldest_program)


def goes_on(newest_known: str, oldest_program: str | None) -> bool:
    """Whether a program that knows migrations up to `newest_known` may work on a newer schema."""
    return oldest_program is not None and oldest_program <= newest_known
