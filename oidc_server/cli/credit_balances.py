"""`oidc-server credits`: look at balances, and whether the ledger agrees with itself."""

import typer

from oidc_server.cli.output import Json, fail, show, show_all
from oidc_server.cli.user_changes import Named
from oidc_server.cli.workshop import workshop
from oidc_server.domain import ledger, user_directory

application = typer.Typer(no_args_is_help=True)


@application.command("balance")
def balance(
    user: Named,
    *,
    as_json: Json = False,
) -> None:
    """Show the balance of a person."""
    with workshop() as tools:
        user_id = user_directory.id_of(tools.db, user)
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
