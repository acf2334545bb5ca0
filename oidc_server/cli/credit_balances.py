"""`oidc-server credits`: look at balances, and whether the ledger agrees with itself."""

from typing import Annotated

import typer

from oidc_server.cli.output import Json, fail, show, show_all
from oidc_server.cli.workshop import workshop
from oidc_server.domain import ledger, users
from oidc_server.domain.base import parse_id

application = typer.Typer(no_args_is_help=True)


@application.command("balance")
def balance(
    user: Annotated[str, typer.Argument(help="The username, a verified address, or the id.")],
    *,
    as_json: Json = False,
) -> None:
    """Tell what a person may spend."""
    with workshop() as tools:
        named = users.find_for_sign_in(tools.db, user)
        user_id = named.id if named is not None else parse_id(user)
        found = ledger.find_balance(tools.db, user_id) if user_id is not None else None
    if found is None:
        fail(f"There is no account {user}.", as_json=as_json)
    show(
        {
            "user_id": found.user_id,
            "balance": ledger.format_amount(found.balance),
            "updated_at": found.updated_at.isoformat(timespec="seconds"),
        },
        as_json=as_json,
    )


@application.command("reconcile")
def reconcile(*, as_json: Json = False) -> None:
    """Compare balances with their entries (exit 1: they differ)."""
    with workshop() as tools:
        found = ledger.reconcile(tools.db)
    if not found and not as_json:
        typer.echo("Everything agrees.")
        return
    show_all(
        [
            {
                "user_id": mismatch.user_id,
                "what": mismatch.what,
                "expected": mismatch.expected,
                "found": mismatch.found,
            }
            for mismatch in found
        ],
        as_json=as_json,
    )
    if found:
        raise typer.Exit(1)
