"""`oidc-server registration-tokens`: who may register applications (RFC 7591 §3)."""

from datetime import timedelta
from typing import Annotated

import typer

from oidc_server.cli.lifetimes import Expires, read_lifetime
from oidc_server.cli.output import Json, show, show_all
from oidc_server.cli.scopes import scope_option, split
from oidc_server.cli.workshop import Workshop, workshop
from oidc_server.domain import registration_tokens
from oidc_server.domain.audit import Event
from oidc_server.domain.registration_tokens import RegistrationToken

application = typer.Typer(no_args_is_help=True)
_LONGEST = timedelta(days=400)


@application.command("create")
def create(
    *,
    uses: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many applications it can register.")
    ] = 1,
    expires: Expires = "7d",
    scope: Annotated[list[str] | None, scope_option("Scopes beyond the standard ones.")] = None,
    as_json: Json = False,
) -> None:
    """Let applications register themselves. The token is shown this once."""
    lifetime = read_lifetime(expires, _LONGEST)
    with workshop() as tools:
        token, text = registration_tokens.create(
            tools.db,
            uses=uses,
            lifetime=lifetime,
            scopes=split(scope or ()),
            now=tools.now,
        )
        _record(tools, Event.REGISTRATION_TOKEN_CREATED, token)
    show(_facts(token) | {"initial_access_token": text}, as_json=as_json)
    if tools.settings.registration == "closed":
        typer.echo("No application registers itself yet: set OIDC_REGISTRATION=token.", err=True)


@application.command("list")
def list_tokens(*, as_json: Json = False) -> None:
    """List the tokens, those that are used up or over included."""
    with workshop() as tools:
        rows = [_facts(token) for token in registration_tokens.list_tokens(tools.db)]
    show_all(rows, as_json=as_json)


@application.command("revoke")
def revoke(token_id: str, *, as_json: Json = False) -> None:
    """Revoke a token; the applications that it registered stay."""
    with workshop() as tools:
        token = registration_tokens.revoke(tools.db, token_id, tools.now)
        _record(tools, Event.REGISTRATION_TOKEN_REVOKED, token)
    show(_facts(token), as_json=as_json)


def _record(tools: Workshop, event: Event, token: RegistrationToken) -> None:
    tools.record(event, registration_token=token.id)


def _facts(token: RegistrationToken) -> dict[str, object]:
    return {
        "id": token.id,
        "uses": token.uses,
        "used": token.used,
        "scope": " ".join(sorted(token.scopes)),
        "expires_at": token.expires_at.isoformat(timespec="seconds"),
        "revoked": token.revoked_at is not None,
    }
