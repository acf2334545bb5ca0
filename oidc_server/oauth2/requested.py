"""What a client asks for, at whatever endpoint: scopes and audiences that it may have."""

from collections.abc import Mapping, Sequence

from oidc_server.database import Transaction
from oidc_server.domain import resources
from oidc_server.domain.client_metadata import STANDARD_SCOPES, is_scope
from oidc_server.domain.clients import Client
from oidc_server.domain.resources import Resource
from oidc_server.oauth2.authlib import InvalidScopeError
from oidc_server.oauth2.errors import InvalidTargetError, describable
from oidc_server.oauth2.vocabulary import API_SCOPES, GrantType, Scope

_MOST_RESOURCES = 20


def scopes_for(
    client: Client, scope: str | None, known: Mapping[str, Resource | None] | None = None
) -> frozenset[str]:
    """The scopes asked for that the client may have; those of `_by_default` when none is.

    `known` are the audiences of the request, where they decide what it asks for by default.

    What it may not have is left out: the token response says what was given (RFC 6749 §3.3).
    Raises `InvalidScopeError` when nothing is left: without a scope nobody would be asked for
    consent, and yet the client would learn who they are.
    """
    if scope is not None and not all(word == "" or is_scope(word) for word in scope.split(" ")):
        raise InvalidScopeError("The scope holds characters that are not allowed.")
    asked = frozenset((scope or "").split())
    scopes = client.narrow(asked) if asked else _by_default(client, known or {})
    if not client.allows_grant(GrantType.REFRESH_TOKEN):
        scopes -= {Scope.OFFLINE_ACCESS}
    if not scopes:
        raise InvalidScopeError("The client may have no scope of those that are asked for.")
    return scopes


def _by_default(client: Client, known: Mapping[str, Resource | None]) -> frozenset[str]:
    """What is asked for without a `scope` (RFC 6749 §3.3): what it may have at these resources.

    So nobody is asked for a profile which none of them needs (RFC 8707 §2). All but offline access
    where we are an audience too, where there are no others, or it may have none of their scopes.
    """
    scopes = client.metadata.scopes - {Scope.OFFLINE_ACCESS}
    if None in known.values():
        return scopes
    of_these = frozenset().union(*(resource.scopes for resource in known.values() if resource))
    return scopes & of_these or scopes


def known_resources(
    db: Transaction, issuer: str, asked: Sequence[str]
) -> dict[str, Resource | None]:
    """The audiences asked for (RFC 8707 §2), each with its resource, or None for ourselves.

    Raises `InvalidTargetError`.
    """
    identifiers = tuple(dict.fromkeys(asked))
    if len(identifiers) > _MOST_RESOURCES:
        raise InvalidTargetError(f"More than {_MOST_RESOURCES} resources are asked for.")
    known = {
        identifier: None if identifier == issuer else resources.find(db, identifier)
        for identifier in identifiers
    }
    for identifier, resource in known.items():
        if identifier != issuer and resource is None:
            raise InvalidTargetError(f"The resource {describable(identifier)} is not known.")
    return known


def scopes_of_clients(db: Transaction) -> frozenset[str]:
    """The scopes that are of use to a client: those of OpenID Connect, and what roles can give."""
    return known_scopes(db).union(STANDARD_SCOPES)


def known_scopes(db: Transaction) -> frozenset[str]:
    """The scopes that a role can give: those of our API and of every resource."""
    return API_SCOPES.union(*(resource.scopes for resource in resources.list_resources(db)))
