"""`oidc-server passwords`: the list of leaked passwords."""

from pathlib import Path
from typing import Annotated

import typer

from oidc_server.cli.files import opened
from oidc_server.cli.output import Json, fail, show
from oidc_server.security.passwords import breached

application = typer.Typer(no_args_is_help=True)


@application.callback()
def _group() -> None:
    """Leaked passwords."""


@application.command("build-breached-list")
def build_breached_list(
    file: Annotated[
        Path, typer.Argument(help="The file to write, for OIDC_BREACHED_PASSWORDS_LIST.")
    ],
    *,
    source: Annotated[
        Path,
        typer.Option(
            "--from",
            help="A line for each password: its SHA-1 in hexadecimal, a colon and how often it was"
            " found. Standard input if not given.",
        ),
    ] = Path("-"),
    at_least: Annotated[
        int, typer.Option(min=1, help="Leave out passwords that were found less often.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Make the list of leaked passwords.

    It is for OIDC_BREACHED_PASSWORDS_LIST, and is made of digests as they are published.
    """
    try:
        with opened(source) as lines:
            count = breached.build(breached.read_digests(lines, at_least), file)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", as_json=as_json)
    except ValueError as error:
        fail(f"{source}: {error}", as_json=as_json)
    show({"file": file, "passwords": count}, as_json=as_json)
