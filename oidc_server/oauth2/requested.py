"""What a client asks for, at whatever endpoint: scopes and audiences that it may have."""

from collections.abc import Sequence

from oidc_server.database import Transaction
from oidc_server.domain import resources
from oidc_server.domain.client_metadata import is_scope
from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import InvalidScopeError
from oidc_server.oauth2.errors import InvalidTargetError, describable
from oidc_server.oauth2.vocabulary import API_SCOPES, GrantType, Scope

_MOST_RESOURCES = 20


def scopes_for(client: Client, scope: str | None) -> frozenset[str]:
    """The scopes asked for that the client may have; all but offline access when none is.

    What it may not have is left out: the token response says what was given (RFC 6749 §3.3).
    Raises `InvalidScopeError` when nothing is left.
    """
    if scope is not None and not all(word == "" or is_scope(word) for word in scope.split(" ")):
        raise InvalidScopeError("The scope holds characters that are not allowed.")
    asked = frozenset((scope or "").split())
    scopes = client.narrow(asked) if asked else client.metadata.scopes - {Scope.OFFLINE_ACCESS}
    if not client.allows_grant(GrantType.REFRESH_TOKEN):
        scopes -= {Scope.OFFLINE_ACCESS}
    if asked and not scopes:
        raise InvalidScopeError("The client may have none of these scopes.")
    return scopes


def known_resources(db: Transaction, issuer: str, asked: Sequence[str]) -> tuple[str, ...]:
    """The audiences asked for, each once (RFC 8707 §2); raises `InvalidTargetError`."""
    identifiers = tuple(dict.fromkeys(asked))
    if len(identifiers) > _MOST_RESOURCES:
        raise InvalidTargetError(f"More than {_MOST_RESOURCES} resources are asked for.")
    for identifier in identifiers:
        if identifier != issuer and resources.find(db, identifier) is None:
            raise InvalidTargetError(f"The resource {describable(identifier)} is not known.")
    return identifiers


def scopes_of_clients(db: Transaction) -> frozenset[str]:
    """The scopes that are of use to a client: those of OpenID Connect, and what roles can give."""
    return known_scopes(db) | {scope.value for scope in Scope}


def known_scopes(db: Transaction) -> frozenset[str]:
    """The scopes that a role can give: those of our API and of every resource."""
    return API_SCOPES.union(*(resource.scopes for resource in resources.list_resources(db)))
