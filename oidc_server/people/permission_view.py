"""What pages say that a client will be able to do: a line for each scope and some resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oidc_server.database import Transaction
from oidc_server.domain import resources
from oidc_server.domain.client_metadata import STANDARD_SCOPES
from oidc_server.domain.consents import Permission
from oidc_server.domain.resources import Resource
from oidc_server.oauth2.vocabulary import API_SCOPES, in_order

_OURS = API_SCOPES.union(STANDARD_SCOPES)
"""Pages have words of their own for these, which name no resource."""


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A scope, whether it is allowed already where it is asked for, and what it shares now."""

    name: str
    already: bool
    description: str | None
    """Of a scope of resources: their names."""
    values: str | None


@dataclass(frozen=True, slots=True)
class ResourceLine:
    """A resource where the client may act, which no line of a scope names."""

    name: str
    already: bool


@dataclass(frozen=True, slots=True)
class PermissionView:
    """The lines in their order."""

    scopes: list[ScopeLine]
    resources: list[ResourceLine]


def view_of_permission(
    db: Transaction,
    asked: Permission,
    *,
    already: Permission | None = None,
    shared: Mapping[str, str | None] | None = None,
) -> PermissionView:
    """The view of what a client asks for; `shared` is what each scope would tell it now."""
    already, shared = already or Permission(), shared or {}
    found = [
        resource
        for identifier in sorted(asked.resources)
        if (resource := resources.find(db, identifier)) is not None
    ]
    naming = {
        scope: [resource for resource in found if scope in resource.scopes]
        for scope in asked.scopes - _OURS
    }
    return PermissionView(
        scopes=[
            _scope_line(name, naming.get(name, []), already, shared.get(name))
            for name in in_order(asked.scopes)
        ],
        resources=[
            ResourceLine(resource.name, resource.identifier in already.resources)
            for resource in found
            if resource.scopes.isdisjoint(naming)
        ],
    )


def _scope_line(
    name: str, named: Sequence[Resource], already: Permission, values: str | None
) -> ScopeLine:
    just_this = Permission(frozenset({name}), frozenset(each.identifier for each in named))
    description = ", ".join(each.name for each in named) or None
    return ScopeLine(name, already.covers(just_this), description, values)
