"""Which programs may go on when there is a newer schema than theirs (ADR 0023)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from oidc_server import resources, schema

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory


@dataclass(frozen=True)
class Outlook:
    """The schema of a database (None: no tables yet), and the newest that this program knows."""

    at: str | None
    newest: str
    both_go_on: bool
    """Whether programs of either work on the newer of the two."""


def outlook(connection: Connection) -> Outlook:
    """Compare, inside a transaction, and change nothing."""
    at, newest = schema.version(connection), resources.newest_migration()
    if at is None or at == newest:
        return Outlook(at, newest, both_go_on=True)
    if at > newest:
        return Outlook(at, newest, both_go_on=schema.is_for_us(connection))
    return Outlook(at, newest, both_go_on=oldest_program(newest, _scripts()) <= at)


def oldest_program(at: str, scripts: "ScriptDirectory") -> str:
    """The last migration up to `at` that did more than add: programs that know it may go on."""
    return next(
        script.revision
        for script in scripts.iterate_revisions(at, "base")
        if not getattr(script.module, "only_adds", False)
    )


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as in the package

    return ScriptDirectory(str(resources.migrations_dir()))
