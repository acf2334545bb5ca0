"""`oidc-server db`: migrations, and the move from one database to another."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from oidc_server.cli.alone import alone
from oidc_server.cli.backups import tell_ledger
from oidc_server.cli.files import opened
from oidc_server.cli.output import Json, fail, show
from oidc_server.cli.progress import progress
from oidc_server.cli.workshop import database_of, workshop
from oidc_server.database import Database
from oidc_server.domain.audit import Event
from oidc_server.schema.going_on import Outlook, outlook
from oidc_server.settings import Settings, SettingsError, keeps_own_secret, load, values
from oidc_server.transfer.copying import copy as copy_database
from oidc_server.transfer.copying import expect_stopped

application = typer.Typer(no_args_is_help=True)


@application.callback()
def group() -> None:
    """The database."""


@application.command("upgrade")
def upgrade(*, as_json: Json = False) -> None:
    """Migrate the database to the schema of this program. Makes the first signing keys, too."""
    with workshop(upgrade=True) as tools:
        database = "sqlite" if tools.database.is_sqlite else "postgresql"
    show({"database": database, "schema": "up to date"}, as_json=as_json)


@application.command("status")
def status(*, as_json: Json = False) -> None:
    """Show the schema, and whether older nodes can run beside it. It changes nothing."""
    with (
        database_of(load()) as database,
        database.connection() as connection,
        connection.begin(),
    ):
        found = outlook(connection)
    show(
        {
            "schema": found.at or "none",
            "newest_known": found.newest,
            "next": _next(found),
            "both_go_on": found.both_go_on,
        },
        as_json=as_json,
    )


def _next(found: Outlook) -> str:
    if found.at is None or found.at == found.newest:
        return "nothing to mind"
    if found.at > found.newest:
        return (
            "this version goes on; replace it"
            if found.both_go_on
            else "this version cannot go on; install the newer one"
        )
    return (
        "upgrade; older nodes go on meanwhile"
        if found.both_go_on
        else "upgrade at a quiet hour; older nodes are not ready any more from then on"
    )


@application.command("copy")
def copy(
    *,
    to: Annotated[
        str | None, typer.Option(help="Address of the empty database, without a password.")
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option(help="A file that holds the address; - is standard input.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy everything into an empty database, and compare it there. The server has to be stopped.

    Nobody is signed out: sessions and tokens go along. Until all is compared, nothing is there.
    """
    address = _address(to, to_file)
    settings = load()
    if address == settings.database_url:
        fail("That is the database that is copied.", as_json=as_json)
    with alone(settings):
        with database_of(settings) as source:
            expect_stopped(source)
        with workshop() as tools:  # which refuses an older schema
            tools.record(Event.COPIED)
        source, target = Database(settings.database_url), Database(address)
        try:
            with progress("db copy") as tell:
                done = copy_database(source, target, tell)
        finally:
            source.close()
            target.close()
    shown = make_url(address).render_as_string(hide_password=True)
    show(
        {
            "copied_to": shown.replace("postgresql+psycopg2:", "postgresql:"),
            "tables": len(done.rows_of),
            "rows": sum(done.rows_of.values()),
            "compared": "every row of every table",
            "ledger": tell_ledger(done.mismatches),
            "next": "Start the server with OIDC_DATABASE_URL set to the copy"
            f" and {_secret(settings)}.",
        },
        as_json=as_json,
    )


def _secret(settings: Settings) -> str:
    """The setting without which nobody opens what is sealed in the copy."""
    if keeps_own_secret(settings):
        return f"OIDC_SECRET_KEY_FILE to {settings.data_dir / 'secret.key'}"
    return "the OIDC_SECRET_KEY of now"


def _address(to: str | None, to_file: Path | None) -> str:
    """Where to copy to; a password is not for a command line, which everybody here can read."""
    if (to is None) == (to_file is None):
        raise typer.BadParameter("say one of them", param_hint=("--to", "--to-file"))
    if to_file is not None:
        with opened(to_file) as file:
            to = file.read().decode()
    try:
        address = values.parse_database_url((to or "").strip())
    except ValueError as error:
        raise SettingsError([f"--to: {error}"]) from None
    if to_file is None and make_url(address).password is not None:
        raise SettingsError(["--to: a password is not for a command line; use --to-file"])
    return address
