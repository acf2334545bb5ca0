"""`oidc-server resources`: the audiences that access tokens can be asked for."""

from typing import Annotated

import typer

from oidc_server.cli.confirmation import Yes, confirm
from oidc_server.cli.output import Json, show, show_all
from oidc_server.cli.scopes import scope_option, split
from oidc_server.cli.workshop import workshop
from oidc_server.domain import resources
from oidc_server.domain.audit import Event

application = typer.Typer(no_args_is_help=True)

Identifier = Annotated[str, typer.Argument(help="The audience, an absolute URI.")]


@application.command("add")
def add(
    identifier: Identifier,
    *,
    name: Annotated[str, typer.Option(help="Its name, which people see.")] = "",
    scope: Annotated[list[str] | None, scope_option("Its scopes.")] = None,
    client: Annotated[
        str | None,
        typer.Option(help="The client of this resource server: it may introspect its tokens."),
    ] = None,
    roles: Annotated[
        bool, typer.Option("--roles", help="Say in its tokens which roles a person has.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Register a resource server."""
    with workshop() as tools:
        made = resources.create(
            tools.db,
            identifier=identifier,
            name=name,
            scopes=split(scope or ()),
            client_id=client,
            wants_roles=roles,
            now=tools.now,
        )
        tools.record(Event.RESOURCE_CREATED, resource=made.identifier)
    show(_facts(made), as_json=as_json)


@application.command("list")
def list_resources(*, as_json: Json = False) -> None:
    """List the resource servers."""
    with workshop() as tools:
        rows = [_facts(resource) for resource in resources.list_resources(tools.db)]
    show_all(rows, as_json=as_json)


@application.command("edit")
def edit(
    identifier: Identifier,
    *,
    name: Annotated[str | None, typer.Option(help="Its name, which people see.")] = None,
    scope: Annotated[list[str] | None, scope_option("Its scopes; replaces all there are.")] = None,
    client: Annotated[
        str | None, typer.Option(help="The client of this resource server; empty for none.")
    ] = None,
    roles: Annotated[
        bool | None,
        typer.Option("--roles/--no-roles", help="Say in its tokens which roles a person has."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a resource server; what is not given stays."""
    with workshop() as tools:
        before = resources.get(tools.db, identifier)
        after = resources.change(
            tools.db,
            before,
            name=before.name if name is None else name,
            scopes=before.scopes if scope is None else split(scope),
            client_id=before.client_id if client is None else client or None,
            wants_roles=before.wants_roles if roles is None else roles,
        )
        tools.record(
            Event.RESOURCE_CHANGED, before=_facts(before), after=_facts(after), resource=identifier
        )
    show(_facts(after), as_json=as_json)


@application.command("remove")
def remove(identifier: Identifier, *, yes: Yes = False, as_json: Json = False) -> None:
    """Remove a resource server. Tokens that were issued for it work until they expire."""
    confirm(f"Forget {identifier}, its scopes and who serves it?", yes=yes, as_json=as_json)
    with workshop() as tools:
        resources.remove(tools.db, resources.get(tools.db, identifier))
        tools.record(Event.RESOURCE_DELETED, resource=identifier)
    show({"identifier": identifier, "removed": True}, as_json=as_json)


def _facts(resource: resources.Resource) -> dict[str, object]:
    return {
        "identifier": resource.identifier,
        "name": resource.name,
        "scopes": sorted(resource.scopes),
        "client_id": resource.client_id,
        "roles": resource.wants_roles,
    }
