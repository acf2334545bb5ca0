"""`oidc-server db`: migrations."""

import typer

from oidc_server.cli.output import Json, show
from oidc_server.cli.workshop import workshop

application = typer.Typer(no_args_is_help=True)


@application.callback()
def group() -> None:
    """The database."""


@application.command("upgrade")
def upgrade(*, as_json: Json = False) -> None:
    """Bring the database to the schema of this program. Makes the first signing keys, too."""
    with workshop() as tools:
        database = "sqlite" if tools.database.is_sqlite else "postgresql"
    show({"database": database, "schema": "up to date"}, as_json=as_json)
