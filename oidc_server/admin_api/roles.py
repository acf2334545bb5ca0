"""Roles: which there are, and which scopes they give."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from oidc_server.api.access import administration, may_touch
from oidc_server.api.models import Answer, Body, printable
from oidc_server.api.operations import Call, Operation
from oidc_server.domain import roles
from oidc_server.domain.audit import Event
from oidc_server.domain.roles import Held, Role, UnknownRoleError
from oidc_server.oauth2.requested import known_scopes
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import ProblemError, types
from oidc_server.web.responses import Response, empty

_Description = Annotated[str, Field(max_length=300), AfterValidator(printable)]
_Scopes = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=200)]


class NewRole(Body):
    """A role to make."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    description: _Description = ""
    scopes: _Scopes


class RoleChange(Body):
    """What shall be different; the rest stays."""

    description: _Description | None = None
    scopes: _Scopes | None = None


class RoleAnswer(Answer):
    """A role, and the scopes that it gives; `admin` gives all of them."""

    name: str
    description: str
    scopes: list[str]
    built_in: bool


class RolesAnswer(Answer):
    """Every role."""

    roles: list[RoleAnswer]


def list_roles(call: Call) -> RolesAnswer:
    """Those that are built in, then the others by name."""
    return RolesAnswer(roles=[_answer(role) for role in roles.list_roles(call.ctx.db)])


def read_role(call: Call) -> RoleAnswer:
    return _answer(_named(call))


def create_role(call: Call) -> RoleAnswer:
    """Make a role out of scopes that the caller has."""
    body, db = call.body, call.ctx.db
    scopes = frozenset(body.scopes)
    may_touch(call.caller, Held(frozenset({body.name}), scopes))

    made = roles.create(
        db,
        name=body.name,
        description=body.description,
        scopes=scopes,
        known=known_scopes(db),
        now=call.ctx.now,
    )

    call.ctx.record(Event.ROLE_CREATED, role=made.name, scopes=sorted(made.scopes))
    return _answer(made)


def change_role(call: Call) -> RoleAnswer:
    """Describe a role anew, or have it give other scopes, to everybody who has it."""
    body, db, role = call.body, call.ctx.db, _named(call)
    scopes = role.scopes if body.scopes is None else frozenset(body.scopes)
    may_touch(call.caller, role.held)
    may_touch(call.caller, Held(frozenset({role.name}), scopes))

    changed = roles.change(
        db,
        role,
        description=role.description if body.description is None else body.description,
        scopes=scopes,
        known=known_scopes(db),
        now=call.ctx.now,
    )

    call.ctx.record(Event.ROLE_CHANGED, before=_told(role), after=_told(changed), role=role.name)
    return _answer(changed)


def delete_role(call: Call) -> Response:
    """Delete a role, and take it from everybody."""
    role = _named(call)
    may_touch(call.caller, role.held)

    holders = roles.remove(call.ctx.db, role)

    call.ctx.record(Event.ROLE_DELETED, role=role.name, scopes=sorted(role.scopes), holders=holders)
    return empty(204)


def _named(call: Call) -> Role:
    try:
        return roles.get(call.ctx.db, call.path["role"])
    except UnknownRoleError as error:
        raise ProblemError(types.NOT_FOUND, str(error)) from None


def _told(role: Role) -> dict[str, Any]:
    return {"description": role.description, "scopes": sorted(role.scopes)}


def _answer(role: Role) -> RoleAnswer:
    return RoleAnswer(
        name=role.name,
        description=role.description,
        scopes=sorted(role.scopes),
        built_in=role.is_built_in,
    )


_EXAMPLE = {
    "name": "support",
    "description": "Answers questions about credit",
    "scopes": ["credits:read", "users:read"],
    "built_in": False,
}
_NEW = {name: _EXAMPLE[name] for name in ("name", "description", "scopes")}
_READS: dict[str, Any] = {"method": "GET", "rule": administration(ApiScope.ROLES_READ)}
_WRITES: dict[str, Any] = {
    "rule": administration(ApiScope.ROLES_WRITE),
    "problems": (types.CONFLICT,),
}

OPERATIONS = (
    Operation(
        path="/api/v1/admin/roles",
        name="admin_api.roles",
        summary="List roles",
        handler=list_roles,
        answer=RolesAnswer,
        answer_example={"roles": [_EXAMPLE]},
        **_READS,
    ),
    Operation(
        method="POST",
        path="/api/v1/admin/roles",
        name="admin_api.create_role",
        summary="Make a role",
        description="It gives scopes of this API and of registered resources, and only those that"
        " the caller has: an administrator has all.",
        handler=create_role,
        body=NewRole,
        answer=RoleAnswer,
        status=201,
        body_example=_NEW,
        answer_example=_EXAMPLE,
        **_WRITES,
    ),
    Operation(
        path="/api/v1/admin/roles/{role}",
        name="admin_api.role",
        summary="Read a role",
        handler=read_role,
        answer=RoleAnswer,
        answer_example=_EXAMPLE,
        **_READS,
    ),
    Operation(
        method="PATCH",
        path="/api/v1/admin/roles/{role}",
        name="admin_api.change_role",
        summary="Change a role",
        description="Whoever has it may at once what it gives now. Roles that are built in stay.",
        handler=change_role,
        body=RoleChange,
        answer=RoleAnswer,
        body_example={"scopes": ["credits:read"]},
        answer_example={**_EXAMPLE, "scopes": ["credits:read"]},
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        path="/api/v1/admin/roles/{role}",
        name="admin_api.delete_role",
        summary="Delete a role, and take it from everybody",
        description="A scope of a resource that no other role gives is held back from nobody any"
        " more: take it from the resource first if it is to be nobody's.",
        handler=delete_role,
        status=204,
        **_WRITES,
    ),
)
