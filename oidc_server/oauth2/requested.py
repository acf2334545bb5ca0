"""What a request without an authorization request asks for: scopes and audiences, as allowed."""

from oidc_server.domain import resources
from oidc_server.domain.client_metadata import is_scope
from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import InvalidScopeError
from oidc_server.oauth2.errors import InvalidTargetError, describable
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.vocabulary import GrantType, Scope


def requested_scopes(exchange: Exchange, client: Client) -> frozenset[str]:
    """The scopes asked for that the client may have; all but offline access when none is.

    Raises `InvalidScopeError` when it may have none of them.
    """
    asked = frozenset(exchange.form.get("scope", "").split())
    if not all(is_scope(word) for word in asked):
        raise InvalidScopeError("The scope holds characters that are not allowed.")
    default = client.metadata.scopes - {Scope.OFFLINE_ACCESS.value}
    scopes = client.narrow(asked) if asked else default
    if not client.allows_grant(GrantType.REFRESH_TOKEN):
        scopes -= {Scope.OFFLINE_ACCESS.value}
    if asked and not scopes:
        raise InvalidScopeError("The client may have none of these scopes.")
    return scopes


def requested_resources(exchange: Exchange) -> frozenset[str]:
    """The audiences asked for (RFC 8707 §2); raises `InvalidTargetError` for an unknown one."""
    for identifier in exchange.resources:
        if identifier != exchange.issuer and resources.find(exchange.db, identifier) is None:
            raise InvalidTargetError(f"The resource {describable(identifier)} is not known.")
    return frozenset(exchange.resources)
