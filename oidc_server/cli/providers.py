"""`oidc-server providers`: where else people may come from to sign in."""

import sys
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from oidc_server.cli.confirmation import Yes, confirm
from oidc_server.cli.output import Json, fail, show, show_all
from oidc_server.cli.provider_answers import why_unusable
from oidc_server.cli.scopes import scope_option
from oidc_server.cli.workshop import Workshop, workshop
from oidc_server.domain import endings, identities, identity_providers
from oidc_server.domain.audit import Event
from oidc_server.domain.identity_providers import Description, IdentityProvider

application = typer.Typer(no_args_is_help=True)


class AuthMethod(StrEnum):
    """How we prove ourselves to the provider."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    NONE = "none"


Name = Annotated[str, typer.Argument(help="Its name in addresses of ours, such as acme.")]
Issuer = Annotated[str, typer.Option(help="Its issuer identifier, as in its metadata.")]
ClientId = Annotated[str, typer.Option(help="The client_id of this server there.")]
NewClientId = Annotated[
    str | None, typer.Option("--client-id", help="The client_id of this server there.")
]
Label = Annotated[str | None, typer.Option(help="The label of its button.")]
AuthMethodOption = Annotated[
    AuthMethod | None, typer.Option(help="How this server authenticates there.")
]
Scope = Annotated[list[str] | None, scope_option("What we ask for.")]
TrustEmail = Annotated[
    bool | None,
    typer.Option(
        "--trust-email/--no-trust-email",
        help="Whether addresses that it calls verified are verified here.",
    ),
]
SignUp = Annotated[
    bool | None,
    typer.Option("--sign-up/--no-sign-up", help="Whether people can sign up with it."),
]
SecretStdin = Annotated[
    bool, typer.Option("--secret-stdin", help="Read the client's secret from standard input.")
]


@application.command("add")
def add(
    name: Name,
    *,
    issuer: Issuer,
    client_id: ClientId,
    label: Label = None,
    auth_method: AuthMethodOption = AuthMethod.BASIC,
    scope: Scope = None,
    trust_email: TrustEmail = False,
    sign_up: SignUp = True,
    secret_stdin: SecretStdin = False,
    as_json: Json = False,
) -> None:
    """Let people sign in with a provider. Register the redirect_uri that is shown with it."""
    secret = None
    if auth_method is not AuthMethod.NONE:
        secret = _read_secret(from_stdin=secret_stdin, as_json=as_json)
    said = _said(client_id, label, auth_method, scope, trust_email=trust_email, sign_up=sign_up)
    begun = Description(label=name.capitalize(), client_id=client_id)
    with workshop() as tools:
        made = identity_providers.add(
            tools.db,
            tools.vault,
            name=name,
            issuer=issuer,
            client_secret=secret,
            description=replace(begun, **said),
            now=tools.now,
        )
        _record(tools, Event.PROVIDER_ADDED, made)
        facts = _facts(tools, made)
    show(facts, as_json=as_json)
    # When it is there for all: nobody waits for it, and the provider may just be down.
    if (reason := why_unusable(tools.settings, name, issuer)) is not None:
        typer.echo(f"{reason}. If that is not its issuer, remove it and add it anew.", err=True)


@application.command("list")
def list_providers(*, as_json: Json = False) -> None:
    """List the providers."""
    with workshop() as tools:
        found = identity_providers.list_providers(tools.db)
        rows = [_facts(tools, provider) for provider in found]
    show_all(rows, as_json=as_json)


@application.command("edit")
def edit(
    name: Name,
    *,
    client_id: NewClientId = None,
    label: Label = None,
    auth_method: AuthMethodOption = None,
    scope: Scope = None,
    trust_email: TrustEmail = None,
    sign_up: SignUp = None,
    secret_stdin: SecretStdin = False,
    as_json: Json = False,
) -> None:
    """Change a provider; what is not given stays. Its name and issuer cannot change."""
    said = _said(client_id, label, auth_method, scope, trust_email=trust_email, sign_up=sign_up)
    secret = _read_secret(from_stdin=True, as_json=as_json) if secret_stdin else None
    with workshop() as tools:
        provider = identity_providers.get(tools.db, name)
        changed = identity_providers.edit(
            tools.db,
            tools.vault,
            provider,
            replace(identity_providers.described(provider), **said),
            tools.now,
            client_secret=secret,
        )
        named = sorted([*said, *(["client_secret"] if secret is not None else [])])
        _record(tools, Event.PROVIDER_CHANGED, changed, changed=named)
        facts = _facts(tools, changed)
    show(facts, as_json=as_json)


@application.command("disable")
def disable(name: Name, *, as_json: Json = False) -> None:
    """Disable a provider: nobody signs in with it. Connected accounts stay."""
    with workshop() as tools:
        provider = identity_providers.get(tools.db, name)
        if identity_providers.disable(tools.db, provider, tools.now):
            _record(tools, Event.PROVIDER_DISABLED, provider)
        facts = _facts(tools, identity_providers.get(tools.db, name))
    show(facts, as_json=as_json)


@application.command("enable")
def enable(name: Name, *, as_json: Json = False) -> None:
    """Enable a provider again."""
    with workshop() as tools:
        provider = identity_providers.get(tools.db, name)
        if identity_providers.enable(tools.db, provider, tools.now):
            _record(tools, Event.PROVIDER_ENABLED, provider)
        facts = _facts(tools, identity_providers.get(tools.db, name))
    show(facts, as_json=as_json)


@application.command("remove")
def remove(
    name: Name,
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove a provider, and the accounts connected there."""
    confirm(f"Forget {name}, and what people have connected there?", yes=yes, as_json=as_json)
    with workshop() as tools:
        provider = identity_providers.get(tools.db, name)
        disconnected = endings.remove_provider(tools.db, provider, tools.now)
        _record(tools, Event.PROVIDER_REMOVED, provider, disconnected=disconnected)
    show({"name": name, "removed": True, "disconnected": disconnected}, as_json=as_json)


def _said(
    client_id: str | None,
    label: str | None,
    auth_method: AuthMethod | None,
    scope: list[str] | None,
    *,
    trust_email: bool | None,
    sign_up: bool | None,
) -> dict[str, Any]:
    """The members of a `Description` that the command line names."""
    given = {
        "client_id": client_id,
        "label": label,
        "token_endpoint_auth_method": auth_method and auth_method.value,
        "scope": None if scope is None else " ".join(scope),
        "trusts_email": trust_email,
        "sign_up": sign_up,
    }
    return {member: value for member, value in given.items() if value is not None}


def _read_secret(*, from_stdin: bool, as_json: bool) -> str:
    if not from_stdin:
        if not sys.stdin.isatty():
            fail("Send the secret on standard input and say --secret-stdin.", as_json=as_json)
        answer: str = typer.prompt("Secret of the client", hide_input=True)
        return answer
    try:
        secret = sys.stdin.buffer.readline().decode("ascii").rstrip("\r\n")
    except UnicodeDecodeError:
        secret = ""
    if not secret or not secret.isprintable():
        fail("The secret on standard input is empty, or no line of ASCII.", as_json=as_json)
    return secret


def _record(tools: Workshop, event: Event, provider: IdentityProvider, **detail: Any) -> None:
    tools.record(event, provider=provider.name, issuer=provider.issuer, **detail)


def _facts(tools: Workshop, provider: IdentityProvider) -> dict[str, object]:
    issuer = tools.settings.issuer
    return {
        "name": provider.name,
        "label": provider.label,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "auth_method": provider.token_endpoint_auth_method,
        "scope": provider.scope,
        "trusts_email": provider.trusts_email,
        "sign_up": provider.sign_up,
        "enabled": provider.disabled_at is None,
        "connected": identities.count_at(tools.db, provider.id),
        "redirect_uri": f"{issuer}/login/providers/{provider.name}/callback",
    }
