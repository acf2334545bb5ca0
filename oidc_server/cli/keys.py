"""`oidc-server keys`: the signing keys and where each stands in its life."""

from datetime import datetime
from typing import Annotated

import typer

from oidc_server.cli.confirmation import Yes, confirm
from oidc_server.cli.output import Json, fail, show, show_all
from oidc_server.cli.workshop import Workshop, workshop
from oidc_server.domain import signing_keys
from oidc_server.domain.audit import Event
from oidc_server.security.jose import ALGORITHMS

application = typer.Typer(no_args_is_help=True)


@application.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """List the keys. Each is next, signing, retiring, retired or revoked, at its times."""
    with workshop() as tools:
        found = signing_keys.timeline(tools.db)
    rows = [
        {
            "kid": key.kid,
            "alg": key.alg,
            "state": key.state(tools.now),
            "published_at": _text(key.published_at),
            "signs_from": _text(key.signs_from),
            "signs_until": _text(key.signs_until) if key.signs_from else None,
            "leaves_at": _text(key.leaves_at),
        }
        for key in found
    ]
    show_all(rows, as_json=as_json)


@application.command("rotate")
def rotate(
    *,
    algorithms: Annotated[
        list[str] | None,
        typer.Option("--alg", metavar="<str>", help="Only this algorithm; may be repeated."),
    ] = None,
    at_once: Annotated[
        bool, typer.Option("--now", help="Sign with the new keys in seconds, not in a day.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make new keys. They are published now and sign a day later, when every cache knows them."""
    wanted = dict.fromkeys(algorithms or ALGORITHMS)
    if unknown := set(wanted) - set(ALGORITHMS):
        fail(f"{min(unknown)} is none of {', '.join(ALGORITHMS)}.", as_json=as_json)
    fresh = signing_keys.generate(wanted)
    with workshop() as tools:
        done = signing_keys.rotate(tools.db, tools.vault, fresh, tools.now, at_once=at_once)
        _record(tools, done)
    show({"new_keys": done.new, "signs_from": _text(done.signs_from)}, as_json=as_json)


@application.command("revoke")
def revoke(
    *,
    kid: Annotated[str, typer.Argument(help="The kid of the key, as listed.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Revoke a leaked key in seconds, with all it has signed. A signing key is replaced."""
    confirm(f"Let {kid} die, with all that it signed?", yes=yes, as_json=as_json)
    fresh = signing_keys.generate(ALGORITHMS)
    with workshop() as tools:
        done = signing_keys.revoke(tools.db, tools.vault, kid, fresh, tools.now)
        if done is None:
            fail("There is no such key, or it was revoked before.", as_json=as_json)
        if done.rotation is not None:
            _record(tools, done.rotation)
        tools.record(Event.KEY_REVOKED, kid=kid)
    replaced_by = done.rotation.new[0] if done.rotation is not None else None
    show(
        {"kid": kid, "leaves_at": _text(done.takes_effect_at), "replaced_by": replaced_by},
        as_json=as_json,
    )


def _record(tools: Workshop, rotation: signing_keys.Rotation) -> None:
    for event, kids in (
        (Event.KEY_ROTATED, rotation.new),
        (Event.KEY_REVOKED, rotation.withdrawn),
    ):
        for kid in kids:
            tools.record(event, kid=kid)


def _text(instant: datetime | None) -> str | None:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ") if instant is not None else None
