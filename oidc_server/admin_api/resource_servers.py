"""Resource servers: the audiences that tokens can be asked for, and the scopes that they have."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from oidc_server.api.access import administration, may_touch
from oidc_server.api.lists import PageQuery, page_of, read_cursor
from oidc_server.api.models import Answer, Body, Query, printable
from oidc_server.api.operations import Call, Operation
from oidc_server.domain import resources, roles
from oidc_server.domain.audit import Event
from oidc_server.domain.clients import UnknownClientError
from oidc_server.domain.resources import Resource, ResourceTakenError
from oidc_server.domain.roles import Held
from oidc_server.oauth2.vocabulary import ApiScope
from oidc_server.web.errors import InvalidFieldsError, ProblemError, types
from oidc_server.web.responses import Response, empty

_Identifier = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(printable)]
_Name = Annotated[str, Field(max_length=200), AfterValidator(printable)]
_Scopes = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=200)]
_ClientId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="The client that serves it: it may introspect tokens that are meant for it.",
    ),
]


class NewResource(Body):
    """A resource server to make known."""

    identifier: _Identifier
    name: _Name = ""
    scopes: _Scopes = Field(default_factory=list)
    client_id: _ClientId | None = None
    roles: bool = Field(
        default=False, description="Whether its tokens say which roles a person has."
    )


class ResourceChange(Body):
    """What shall be different; what is not named stays. Null takes `client_id` away."""

    name: _Name | None = None
    scopes: _Scopes | None = None
    client_id: _ClientId | None = None
    roles: bool | None = None


class ResourcesQuery(PageQuery):
    """Which resource servers."""

    identifier: _Identifier | None = Field(default=None, description="Only this one.")


class OneResource(Query):
    """Which resource server. It is named in the query, since its identifier is an address."""

    identifier: _Identifier


class ResourceAnswer(Answer):
    """A resource server."""

    identifier: str
    name: str
    scopes: list[str]
    client_id: str | None
    roles: bool
    created_at: datetime


class ResourcesPage(Answer):
    """A page of resource servers, by identifier."""

    resources: list[ResourceAnswer]
    next_cursor: str | None


def list_resources(call: Call) -> ResourcesPage:
    query, db = call.query, call.ctx.db
    if query.identifier is not None:
        one = resources.find(db, query.identifier)
        return ResourcesPage(resources=[] if one is None else [_answer(one)], next_cursor=None)
    after = "" if query.cursor is None else read_cursor(query.cursor, str)[0]

    found = resources.page(db, limit=query.limit + 1, after=after)

    page, cursor = page_of(found, query.limit, lambda resource: (resource.identifier,))
    return ResourcesPage(resources=[_answer(resource) for resource in page], next_cursor=cursor)


def create_resource(call: Call) -> ResourceAnswer:
    body, ctx = call.body, call.ctx
    if body.identifier == ctx.runtime.issuer:
        raise InvalidFieldsError((["identifier"], "This server is a resource already."))

    try:
        made = resources.create(
            ctx.db,
            identifier=body.identifier,
            name=body.name,
            scopes=frozenset(body.scopes),
            client_id=body.client_id,
            wants_roles=body.roles,
            now=ctx.now,
        )
    except ResourceTakenError as error:
        raise ProblemError(types.CONFLICT, str(error)) from None
    except UnknownClientError as error:
        raise InvalidFieldsError((["client_id"], str(error))) from None

    _require_as_much(call, made, replace(made, client_id=None))
    call.ctx.record(Event.RESOURCE_CREATED, resource=made.identifier, before={}, after=_told(made))
    return _answer(made)


def change_resource(call: Call) -> ResourceAnswer:
    before, db = _named(call), call.ctx.db
    changes = call.body.model_dump(exclude_unset=True)
    name, scopes, wants_roles = (changes.get(member) for member in ("name", "scopes", "roles"))

    try:
        after = resources.change(
            db,
            before,
            name=before.name if name is None else name,
            scopes=before.scopes if scopes is None else frozenset(scopes),
            client_id=changes.get("client_id", before.client_id),
            wants_roles=before.wants_roles if wants_roles is None else wants_roles,
        )
    except UnknownClientError as error:
        raise InvalidFieldsError((["client_id"], str(error))) from None

    _require_as_much(call, before, after)
    call.ctx.record(
        Event.RESOURCE_CHANGED,
        resource=before.identifier,
        before=_told(before),
        after=_told(after),
    )
    return _answer(after)


def delete_resource(call: Call) -> Response:
    """No token for it is given any more; those that there are live until they expire."""
    resource = _named(call)
    _require_as_much(call, resource)

    resources.remove(call.ctx.db, resource)

    call.ctx.record(Event.RESOURCE_DELETED, resource=resource.identifier)
    return empty(204)


def _require_as_much(call: Call, *resources_touched: Resource) -> None:
    """Nobody takes away what holds them back.

    Scopes that some role gives are in no token of those without such a role, as long as their
    resource wants roles: who changes that resource has to have them all. And a client that serves
    a resource may exchange what people gave another: who names it is an administrator, or a
    service, which only an operator makes.
    """
    touched = frozenset().union(*(resource.scopes for resource in resources_touched))
    guarded = touched & roles.scopes_of_all(call.ctx.db)
    may_touch(call.caller, Held(frozenset(), guarded))
    serving = {resource.client_id for resource in resources_touched}
    held = call.caller.held
    if len(serving) > 1 and held is not None and not held.is_administrator:
        raise ProblemError(types.NOT_ALLOWED, "An administrator says which client serves it.")


def _named(call: Call) -> Resource:
    found = resources.find(call.ctx.db, call.query.identifier)
    if found is None:
        raise ProblemError(types.NOT_FOUND, "There is no such resource server.")
    return found


def _told(resource: Resource) -> dict[str, Any]:
    return {
        "name": resource.name,
        "scopes": sorted(resource.scopes),
        "client_id": resource.client_id,
        "roles": resource.wants_roles,
    }


def _answer(resource: Resource) -> ResourceAnswer:
    return ResourceAnswer(
        identifier=resource.identifier, created_at=resource.created_at, **_told(resource)
    )


_PATH = "/api/v1/admin/resources"
_NAMED = {"identifier": "https://api.example.net/"}
_NEW: dict[str, Any] = {
    **_NAMED,
    "name": "Articles",
    "scopes": ["articles:read", "articles:write"],
    "client_id": None,
    "roles": False,
}
_EXAMPLE = {**_NEW, "created_at": "2026-01-05T09:00:00Z"}
_WRITES: dict[str, Any] = {"path": _PATH, "rule": administration(ApiScope.RESOURCES_WRITE)}

OPERATIONS = (
    Operation(
        method="GET",
        path=_PATH,
        name="admin_api.resources",
        summary="List resource servers",
        rule=administration(ApiScope.RESOURCES_READ),
        handler=list_resources,
        query=ResourcesQuery,
        answer=ResourcesPage,
        query_example={"limit": 50},
        answer_example={"resources": [_EXAMPLE], "next_cursor": None},
    ),
    Operation(
        method="POST",
        name="admin_api.create_resource",
        summary="Make a resource server known",
        description="Tokens can be asked for it (RFC 8707), with its scopes. Nobody makes or"
        " changes one with a scope that a role gives and that they do not have. Which client"
        " serves it is said by an administrator, or a service.",
        handler=create_resource,
        body=NewResource,
        answer=ResourceAnswer,
        status=201,
        body_example=_NEW,
        answer_example=_EXAMPLE,
        problems=(types.CONFLICT,),
        **_WRITES,
    ),
    Operation(
        method="PATCH",
        name="admin_api.change_resource",
        summary="Change a resource server",
        handler=change_resource,
        query=OneResource,
        body=ResourceChange,
        answer=ResourceAnswer,
        query_example=_NAMED,
        body_example={"scopes": ["articles:read"]},
        answer_example={**_EXAMPLE, "scopes": ["articles:read"]},
        problems=(types.NOT_FOUND,),
        **_WRITES,
    ),
    Operation(
        method="DELETE",
        name="admin_api.delete_resource",
        summary="Forget a resource server",
        description="No token for it is given any more; those there are live until they expire.",
        handler=delete_resource,
        query=OneResource,
        query_example=_NAMED,
        status=204,
        problems=(types.NOT_FOUND,),
        **_WRITES,
    ),
)
