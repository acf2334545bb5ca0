"""`oidc-server keys`: the signing keys and where each stands in its life."""

from typing import Annotated

import typer

from oidc_server.cli.output import Json, show, show_all
from oidc_server.cli.workshop import workshop
from oidc_server.domain import audit, signing_keys
from oidc_server.domain.audit import COMMAND_LINE, Event

application = typer.Typer(no_args_is_help=True)


@application.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """List the keys: next, active, retiring, retired."""
    with workshop() as tools:
        found = signing_keys.timeline(tools.db)
    rows = [
        {
            "kid": key.kid,
            "alg": key.alg,
            "state": key.state(tools.now),
            "created_at": key.created_at.isoformat(timespec="seconds"),
            "signs_from": key.activates_at.isoformat(timespec="seconds"),
            "superseded_at": key.superseded_at.isoformat(timespec="seconds")
            if key.superseded_at
            else None,
        }
        for key in found
    ]
    show_all(rows, as_json=as_json)


@application.command("rotate")
def rotate(
    *,
    at_once: Annotated[
        bool, typer.Option("--now", help="Sign with the new keys at once, not in a day.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make new keys. They are published now and sign a day later, when every cache knows them."""
    with workshop() as tools:
        kids = signing_keys.rotate(tools.db, tools.vault, tools.now, at_once=at_once)
        for kid in kids:
            audit.record(tools.db, Event.KEY_ROTATED, origin=COMMAND_LINE, now=tools.now, kid=kid)
    show({"new_keys": kids, "sign_from": "now" if at_once else "in a day"}, as_json=as_json)
