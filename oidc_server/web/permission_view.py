"""What pages say that a client will be able to do: a line for each scope and some resources."""

from collections.abc import Mapping
from dataclasses import dataclass

from oidc_server.database import Transaction
from oidc_server.domain import resources
from oidc_server.domain.consents import Permission
from oidc_server.oauth2.vocabulary import in_order


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A scope, whether it is allowed already, and what it shares now."""

    name: str
    already: bool
    description: str | None
    """Of a scope of a resource: the resource's name."""
    values: str | None


@dataclass(frozen=True, slots=True)
class ResourceLine:
    """A resource where the client may act, of which no scope tells."""

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
    described = {scope: resource.name for resource in found for scope in resource.scopes}
    return PermissionView(
        scopes=[
            ScopeLine(name, name in already.scopes, described.get(name), shared.get(name))
            for name in in_order(asked.scopes)
        ],
        resources=[
            ResourceLine(resource.name, resource.identifier in already.resources)
            for resource in found
            if asked.scopes.isdisjoint(resource.scopes)
        ],
    )
