"""`oidc-server clients`: what is done to an application after it was registered."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from oidc_server.cli.confirmation import Yes, confirm
from oidc_server.cli.json_files import read_json
from oidc_server.cli.output import Json, show
from oidc_server.cli.scopes import require_known, scope_option
from oidc_server.cli.workshop import workshop
from oidc_server.domain import client_metadata, client_registrations, clients
from oidc_server.domain.audit import Event
from oidc_server.domain.client_metadata import (
    MEMBERS,
    OPERATORS_FIELDS,
    InvalidClientMetadataError,
)
from oidc_server.domain.clients import Client

MetadataFile = Annotated[
    Path | None,
    typer.Option(
        "--metadata",
        allow_dash=True,
        help="JSON file (- for standard input) of RFC 7591 members: all that has no option.",
    ),
]


class AuthMethod(StrEnum):
    """How a confidential client proves itself."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    SECRET_JWT = "client_secret_jwt"
    PRIVATE_KEY_JWT = "private_key_jwt"


AuthMethodOption = Annotated[
    AuthMethod | None, typer.Option(help="Its token_endpoint_auth_method.")
]


def edit(
    client_id: str,
    *,
    metadata: MetadataFile = None,
    name: Annotated[str | None, typer.Option(help="Its name, which people see.")] = None,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(metavar="<uri>", help="A redirect URI; replaces all."),
    ] = None,
    post_logout_redirect_uri: Annotated[
        list[str] | None,
        typer.Option(metavar="<uri>", help="A post_logout_redirect_uri; replaces all."),
    ] = None,
    scope: Annotated[
        list[str] | None, scope_option("Scopes it may have; replaces all there are.")
    ] = None,
    auth_method: AuthMethodOption = None,
    pkce: Annotated[
        bool | None, typer.Option("--pkce/--no-pkce", help="Whether it must send PKCE.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change an application. What is not named stays, and null takes a member away."""
    options = {
        "client_name": name,
        "redirect_uris": redirect_uri,
        "post_logout_redirect_uris": post_logout_redirect_uri,
        "scope": None if scope is None else " ".join(scope),
        "token_endpoint_auth_method": auth_method and auth_method.value,
        "require_pkce": pkce,
    }
    changes = read_members(metadata) | {
        member: value for member, value in options.items() if value is not None
    }
    _change(client_id, changes, as_json=as_json)


def _change(client_id: str, changes: dict[str, Any], *, as_json: bool) -> None:
    with workshop() as tools:
        before = clients.load(tools.db, client_id)
        described = client_metadata.edited(before.type, before.metadata, changes)
        require_known(tools.db, described.scopes - before.metadata.scopes)
        client, secret = client_registrations.replace(
            tools.db, before, described, now=tools.now, vault=tools.vault
        )
        was, is_now = before.metadata.to_document(), described.to_document()
        tools.record(Event.CLIENT_CHANGED, client_id=client_id, before=was, after=is_now)
    shown = {} if secret is None else {"client_secret": secret}
    show(facts(client) | shown, as_json=as_json)


def disable(client_id: str, *, as_json: Json = False) -> None:
    """Disable an application. Its requests fail at once, on every node."""
    with workshop() as tools:
        client = clients.change(tools.db, client_id, disabled_at=tools.now)
        tools.record(Event.CLIENT_DISABLED, client_id=client_id)
    show(facts(client), as_json=as_json)


def enable(client_id: str, *, as_json: Json = False) -> None:
    """Enable an application again, with all that it had."""
    with workshop() as tools:
        client = clients.change(tools.db, client_id, disabled_at=None)
        tools.record(Event.CLIENT_ENABLED, client_id=client_id)
    show(facts(client), as_json=as_json)


def delete(client_id: str, *, yes: Yes = False, as_json: Json = False) -> None:
    """Delete an application for good. Its tokens and all consents to it go with it."""
    confirm(f"Delete {client_id} for good, with its tokens?", yes=yes, as_json=as_json)
    with workshop() as tools:
        client_registrations.delete_client(tools.db, client_id, tools.now)
        tools.record(Event.CLIENT_DELETED, client_id=client_id)
    show({"client_id": client_id, "deleted": True}, as_json=as_json)


def read_members(path: Path | None) -> dict[str, Any]:
    """The members of a metadata file; an operator is told of one that nobody knows."""
    members = read_json(path, "--metadata") or {}
    for member in sorted(members.keys() - MEMBERS - OPERATORS_FIELDS.keys()):
        raise InvalidClientMetadataError(f"{member}: there is no such member.")
    return members


def facts(client: Client) -> dict[str, object]:
    """What is shown of an application: all but its secrets."""
    document = client.metadata.to_document()
    document["scope"] = " ".join(document.pop("scopes"))
    return {
        "client_id": client.client_id,
        "type": client.type,
        **document,
        "live_secrets": len(client.secrets),
        "self_registered": client.self_registered,
        "disabled": client.disabled_at is not None,
        "created_at": client.created_at.isoformat(timespec="seconds"),
    }
