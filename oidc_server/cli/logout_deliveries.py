"""`oidc-server logout-deliveries`: which clients heard that a session ended, and which did not."""

from dataclasses import asdict
from typing import Annotated

import typer

from oidc_server.cli.output import Json, fail, show, show_all
from oidc_server.cli.workshop import workshop
from oidc_server.domain import logout_deliveries
from oidc_server.domain.base import parse_id

application = typer.Typer(no_args_is_help=True)
_MOST = 1000


@application.command("list")
def list_deliveries(
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those that have failed for good.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most this many.")] = 100,
    as_json: Json = False,
) -> None:
    """List back-channel logouts, the newest first."""
    with workshop() as tools:
        found = logout_deliveries.find_all(tools.db, only_failed=failed, limit=limit)
    show_all([asdict(delivery) for delivery in found], as_json=as_json)


@application.command("retry")
def retry(
    delivery_id: Annotated[str | None, typer.Argument(help="Its id, as listed.")] = None,
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="All that have failed for good.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Retry failed ones: one, or all."""
    if (delivery_id is None) != failed:
        fail("Give the id of one, or --failed for all that were given up.", as_json=as_json)
    with workshop() as tools:
        if delivery_id is None:
            again = logout_deliveries.retry_failed(tools.db, tools.now)
        else:
            parsed = parse_id(delivery_id)
            again = int(parsed is not None and logout_deliveries.retry(tools.db, parsed, tools.now))
    if delivery_id is not None and not again:
        fail(f"No delivery {delivery_id} waits or was given up.", as_json=as_json)
    show({"tried_again": again}, as_json=as_json)
