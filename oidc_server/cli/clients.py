"""`oidc-server clients`: register and show applications; `client_changes.py` has the rest."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from oidc_server.cli import client_changes
from oidc_server.cli.client_changes import AuthMethodOption, MetadataFile, facts, read_members
from oidc_server.cli.json_files import read_json
from oidc_server.cli.output import Json, show, show_all
from oidc_server.cli.scopes import require_known, scope_option, split
from oidc_server.cli.workshop import workshop
from oidc_server.domain import client_metadata, clients
from oidc_server.domain.audit import Event
from oidc_server.domain.client_metadata import ClientMetadata

application = typer.Typer(no_args_is_help=True)
_OVERLAP_HOURS = 24
_NEVER_SENT = (
    "Nobody is ever sent to a client that uses client_credentials alone: its redirect URIs are"
    " of no use. One of type web, spa or native signs people in."
)


class Kind(StrEnum):
    """What kind of application it is; it decides the defaults."""

    WEB = "web"
    SPA = "spa"
    NATIVE = "native"
    SERVICE = "service"


class Profile(StrEnum):
    """A set of rules; it decides the defaults, and what may be chosen."""

    FAPI2 = "fapi2"


class Algorithm(StrEnum):
    """Algorithms of ID Tokens."""

    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


Name = Annotated[str, typer.Option(help="Its name, which people see.")]
KindOption = Annotated[
    Kind, typer.Option("--type", help="Kind of application; a device is native.")
]
RedirectUris = Annotated[
    list[str] | None, typer.Option(metavar="<uri>", help="A redirect URI; may be repeated.")
]
PostLogoutRedirectUris = Annotated[
    list[str] | None,
    typer.Option(metavar="<uri>", help="A post_logout_redirect_uri; may be repeated."),
]
BackchannelLogoutUri = Annotated[str | None, typer.Option(help="Its backchannel_logout_uri.")]
FrontchannelLogoutUri = Annotated[str | None, typer.Option(help="Its frontchannel_logout_uri.")]
GrantTypes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="<str>", help="A grant_type, instead of those of its type; may be repeated."
    ),
]
Scope = Annotated[list[str] | None, scope_option("Scopes it may have.")]
Jwks = Annotated[
    Path | None,
    typer.Option("--jwks", exists=True, dir_okay=False, help="File with its public keys (a JWKS)."),
]
JwksUri = Annotated[str | None, typer.Option(help="Its jwks_uri.")]
ProfileOption = Annotated[Profile | None, typer.Option(help="Security profile: fapi2.")]
IdTokenAlgorithm = Annotated[
    Algorithm | None, typer.Option(help="Algorithm that signs its ID Tokens.")
]
SkipConsent = Annotated[
    bool,
    typer.Option("--skip-consent", help="Ask nobody for consent: it is a first-party application."),
]
NoPkce = Annotated[bool, typer.Option("--no-pkce", help="It cannot send PKCE.")]
Introspect = Annotated[bool, typer.Option("--introspect", help="It may introspect every token.")]
DpopBound = Annotated[
    bool, typer.Option("--dpop-bound", help="It gets no token without a DPoP proof.")
]
MayExchange = Annotated[
    bool, typer.Option("--exchange", help="It may exchange tokens of other clients.")
]


@application.command("add")
def add(
    *,
    kind: KindOption,
    name: Name = "",
    metadata: MetadataFile = None,
    redirect_uri: RedirectUris = None,
    post_logout_redirect_uri: PostLogoutRedirectUris = None,
    backchannel_logout_uri: BackchannelLogoutUri = None,
    frontchannel_logout_uri: FrontchannelLogoutUri = None,
    grant_type: GrantTypes = None,
    scope: Scope = None,
    auth_method: AuthMethodOption = None,
    jwks: Jwks = None,
    jwks_uri: JwksUri = None,
    profile: ProfileOption = None,
    id_token_alg: IdTokenAlgorithm = None,
    skip_consent: SkipConsent = False,
    no_pkce: NoPkce = False,
    introspect: Introspect = False,
    dpop_bound: DpopBound = False,
    exchange: MayExchange = False,
    as_json: Json = False,
) -> None:
    """Register an application; its secret is shown this once."""
    options: dict[str, Any] = {
        "client_name": name,
        "redirect_uris": redirect_uri,
        **_logout(post_logout_redirect_uri, backchannel_logout_uri, frontchannel_logout_uri),
        "grant_types": grant_type,
        "scopes": split(scope or ()),
        "token_endpoint_auth_method": auth_method and auth_method.value,
        **_keys(jwks, jwks_uri),
        "profile": profile and profile.value,
        "id_token_signed_response_alg": id_token_alg and id_token_alg.value,
        "skip_consent": skip_consent,
        "may_introspect": introspect,
        "may_exchange": exchange,
        "dpop_bound_access_tokens": dpop_bound,
    }
    _create(kind, _described(kind, metadata, options, no_pkce=no_pkce), as_json=as_json)


def _described(
    kind: Kind, metadata: Path | None, options: dict[str, Any], *, no_pkce: bool
) -> ClientMetadata:
    """What the file says, and the options that were used over it."""
    fields = client_metadata.fields_of(read_members(metadata), by_operator=True)
    unused: tuple[Any, ...] = (None, "", [], (), frozenset(), False)
    used = {name: value for name, value in options.items() if value not in unused}
    if no_pkce:
        used["require_pkce"] = False
    described = client_metadata.for_type(kind.value, **{"client_name": "", **fields, **used})
    if described.redirect_uris and described.grant_types == {"client_credentials"}:
        typer.echo(_NEVER_SENT, err=True)
    return described


def _keys(jwks: Path | None, jwks_uri: str | None) -> dict[str, Any]:
    return {"jwks": read_json(jwks, "--jwks"), "jwks_uri": jwks_uri}


def _logout(
    post_logout_redirect_uris: list[str] | None, backchannel: str | None, frontchannel: str | None
) -> dict[str, Any]:
    """The fields that are about signing out; whom we tell, we tell of which session."""
    return {
        "post_logout_redirect_uris": post_logout_redirect_uris or (),
        "backchannel_logout_uri": backchannel,
        "backchannel_logout_session_required": backchannel is not None,
        "frontchannel_logout_uri": frontchannel,
        "frontchannel_logout_session_required": frontchannel is not None,
    }


def _create(kind: Kind, metadata: ClientMetadata, *, as_json: bool) -> None:
    with workshop() as tools:
        require_known(tools.db, metadata.scopes)
        made = clients.create(
            tools.db,
            client_type=kind.value,
            metadata=metadata,
            now=tools.now,
            vault=tools.vault,
        )
        tools.record(Event.CLIENT_CREATED, client_id=made.client.client_id)
    secret = {} if made.client_secret is None else {"client_secret": made.client_secret}
    show(facts(made.client) | secret, as_json=as_json)
    if secret and not as_json:
        typer.echo("The client_secret is shown this once.", err=True)


@application.command("list")
def list_clients(*, as_json: Json = False) -> None:
    """List the applications."""
    with workshop() as tools:
        rows = [
            {
                "client_id": client.client_id,
                "client_name": client.metadata.client_name,
                "type": client.type,
                "created_at": client.created_at.isoformat(timespec="seconds"),
                "self_registered": client.self_registered,
                "disabled": client.disabled_at is not None,
            }
            for client in clients.each_client(tools.db)
        ]
    show_all(rows, as_json=as_json)


@application.command("show")
def show_client(client_id: str, *, as_json: Json = False) -> None:
    """Show all of an application but its secrets."""
    with workshop() as tools:
        client = clients.load(tools.db, client_id)
    show(facts(client), as_json=as_json)


@application.command("rotate-secret")
def rotate_secret(
    client_id: str,
    *,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=24 * 90, help="Hours the old secret goes on working.")
    ] = _OVERLAP_HOURS,
    as_json: Json = False,
) -> None:
    """Give an application a new secret. The old one goes on for a while."""
    with workshop() as tools:
        secret = clients.rotate_secret(
            tools.db,
            client_id,
            now=tools.now,
            overlap=timedelta(hours=overlap_hours),
            vault=tools.vault,
        )
        tools.record(Event.CLIENT_SECRET_ROTATED, client_id=client_id)
    show({"client_id": client_id, "client_secret": secret}, as_json=as_json)


application.command("edit")(client_changes.edit)
application.command("disable")(client_changes.disable)
application.command("enable")(client_changes.enable)
application.command("delete")(client_changes.delete)
