"""The command line `oidc-server`: one module per noun. The rules are in `domain/`.

No command takes a secret as an argument, each answers `--json`, and each exits 0 only on success.
What cannot be undone is confirmed (`confirmation.py`).
"""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from oidc_server import __version__
from oidc_server.cli import (
    audit,
    backups,
    breached_passwords,
    clients,
    credit_balances,
    database,
    doctor,
    exports,
    issuers,
    keys,
    logout_deliveries,
    providers,
    registration_tokens,
    resources,
    roles,
    serve,
    users,
)
from oidc_server.cli.failures import telling_in_words

_OF_THE_LIBRARY = "Value error, "


class _Commands(TyperGroup):
    """Every command: what is wrong with an option is told without the words of a library."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(_OF_THE_LIBRARY)
            raise


application = typer.Typer(
    name="oidc-server",
    cls=_Commands,
    help="An OAuth 2 and OpenID Connect authorization server.",
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},  # for every command below, too
    pretty_exceptions_enable=False,
    # Rich cuts the names of long options off on a narrow terminal; plain help wraps instead.
    rich_markup_mode=None,
)
application.command("serve")(serve.serve)
application.command("setup-link")(users.setup_link)
application.command("doctor")(doctor.doctor)
application.command("backup")(backups.backup)
application.command("restore")(backups.restore)
application.command("export")(exports.export)
application.command("import")(exports.import_lines)
application.add_typer(database.application, name="db", help="The database and its schema.")
application.add_typer(users.application, name="users", help="Accounts of people.")
application.add_typer(breached_passwords.application, name="passwords", help="Leaked passwords.")
application.add_typer(roles.application, name="roles", help="Roles: what people may do to others.")
application.add_typer(clients.application, name="clients", help="Applications that sign people in.")
application.add_typer(
    registration_tokens.application,
    name="registration-tokens",
    help="Initial access tokens, to register applications.",
)
application.add_typer(
    issuers.application, name="issuers", help="Trusted issuers of JWT assertions (RFC 7523)."
)
application.add_typer(
    providers.application, name="providers", help="Other identity providers to sign in with."
)
application.add_typer(credit_balances.application, name="credits", help="Credit balances of users.")
application.add_typer(keys.application, name="keys", help="Signing keys.")
application.add_typer(
    logout_deliveries.application, name="logout-deliveries", help="Back-channel logouts of clients."
)
application.add_typer(audit.application, name="audit", help="The audit log.")
application.add_typer(
    resources.application, name="resources", help="Resource servers: audiences of access tokens."
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@application.callback()
def group(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """An OAuth 2 and OpenID Connect authorization server."""
    del version


def main() -> None:
    """Run a command; what a person can mend is told in words, without a traceback."""
    with telling_in_words(as_json="--json" in sys.argv):
        application()
