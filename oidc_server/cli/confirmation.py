"""The word before what cannot be undone: asked for on a terminal, `--yes` anywhere else."""

import sys
from typing import Annotated

import typer

from oidc_server.cli.output import fail

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Return if it is meant; else end the command. Asked on stderr: stdout is for the answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail("This cannot be undone: say --yes.", as_json=as_json)
    typer.confirm(question, abort=True, err=True)
