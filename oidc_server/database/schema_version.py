"""Which schema a database has, and the oldest program that may work on it (ADR 0023).

Both stand in Alembic's table; `migrations/env.py` writes them.
"""

from sqlalchemy import Text, column, select, table

from oidc_server.database.statements import Statement

_TABLE = table("alembic_version")

VERSION = Statement(select(column("version_num", Text)).select_from(_TABLE))
"""The newest migration that ran."""

OLDEST_PROGRAM = Statement(select(column("oldest_program", Text)).select_from(_TABLE))
"""The newest migration that the oldest such program knows. To be asked of a schema that is newer
than this program alone: an older one does not have it."""


def goes_on(newest_known: str, oldest_program: str | None) -> bool:
    """Whether a program that knows migrations up to `newest_known` may work on a newer schema."""
    return oldest_program is not None and oldest_program <= newest_known
