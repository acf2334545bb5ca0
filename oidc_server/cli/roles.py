"""`oidc-server roles`: which there are, and which scopes they give."""

from typing import Annotated

import typer

from oidc_server.cli.confirmation import Yes, confirm
from oidc_server.cli.output import Json, show, show_all
from oidc_server.cli.scopes import scope_option, split
from oidc_server.cli.workshop import workshop
from oidc_server.domain import roles
from oidc_server.domain.audit import Event
from oidc_server.domain.roles import Role
from oidc_server.oauth2.requested import known_scopes

application = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name of the role.")]
_Scope = Annotated[
    list[str] | None, scope_option("The scopes it gives, of the API and of resources.")
]


@application.command("list")
def list_roles(*, as_json: Json = False) -> None:
    """List the roles."""
    with workshop() as tools:
        rows = [_facts(role) for role in roles.list_roles(tools.db)]
    show_all(rows, as_json=as_json)


@application.command("add")
def add(
    name: Name,
    *,
    scope: _Scope = None,
    description: Annotated[str, typer.Option(help="A description.")] = "",
    as_json: Json = False,
) -> None:
    """Make a role."""
    with workshop() as tools:
        made = roles.create(
            tools.db,
            name=name,
            description=description,
            scopes=split(scope or ()),
            known=known_scopes(tools.db),
            now=tools.now,
        )
        tools.record(Event.ROLE_CREATED, role=made.name, scopes=sorted(made.scopes))
    show(_facts(made), as_json=as_json)


@application.command("edit")
def edit(
    name: Name,
    *,
    scope: _Scope = None,
    description: Annotated[str | None, typer.Option(help="A description.")] = None,
    as_json: Json = False,
) -> None:
    """Change a role; it takes effect at once for whoever has it."""
    with workshop() as tools:
        role = roles.get(tools.db, name)
        changed = roles.change(
            tools.db,
            role,
            description=role.description if description is None else description,
            scopes=role.scopes if scope is None else split(scope),
            known=known_scopes(tools.db),
            now=tools.now,
        )
        tools.record(Event.ROLE_CHANGED, before=_facts(role), after=_facts(changed), role=name)
    show(_facts(changed), as_json=as_json)


@application.command("delete")
def delete(name: Name, *, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a role, and take it from everybody."""
    confirm(f"Delete the role {name}, and take it from everybody?", yes=yes, as_json=as_json)
    with workshop() as tools:
        role = roles.get(tools.db, name)
        holders = roles.remove(tools.db, role)
        tools.record(Event.ROLE_DELETED, role=name, scopes=sorted(role.scopes), holders=holders)
    show({"name": name, "taken_from": holders}, as_json=as_json)


def _facts(role: Role) -> dict[str, object]:
    return {
        "name": role.name,
        "scopes": sorted(role.scopes),
        "description": role.description,
        "built_in": role.is_built_in,
    }
