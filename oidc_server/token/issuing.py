"""Issues tokens: the responses that carry them (RFC 6749 §5.1), with refresh and ID Token."""

from datetime import timedelta
from typing import Any

from oidc_server.domain import refresh_tokens
from oidc_server.domain.clients import Client
from oidc_server.domain.grants import Granted
from oidc_server.oauth2 import access_tokens
from oidc_server.oauth2.errors import InvalidTargetError, describable
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.vocabulary import GrantType, Scope, TokenType
from oidc_server.token import id_token, token_scopes


def audiences_for(exchange: Exchange, allowed: frozenset[str]) -> tuple[str, ...]:
    """The audience of an access token: the resources asked for, the grant's, or us.

    Raises `InvalidTargetError` for one the grant does not cover (RFC 8707 §2.2).
    """
    for resource in exchange.resources:
        if resource not in allowed and resource != exchange.issuer:
            raise InvalidTargetError(f"The resource {describable(resource)} is not granted.")
    asked = tuple(dict.fromkeys(exchange.resources))
    return asked or tuple(sorted(allowed)) or (exchange.issuer,)


def issue(
    exchange: Exchange,
    client: Client,
    granted: Granted,
    scopes: frozenset[str],
    *,
    first: bool,
) -> dict[str, Any]:
    """The response to a grant of a person, without a refresh token.

    `first` is false on refresh: the ID Token then has no nonce. Left out are scopes that the client
    is no longer registered for, and those that `token_scopes` leaves out.
    """
    audiences = audiences_for(exchange, granted.resources)
    scopes, roles = token_scopes.of_person(
        exchange, granted.user_id, client.narrow(scopes), audiences
    )
    body = _token_response(
        exchange,
        client,
        sub=granted.sub,
        audiences=audiences,
        scopes=scopes,
        grant_id=granted.grant_id,
        sid=granted.sid,
        auth_time=int(granted.auth_time.timestamp()),
        acr=granted.acr,
        amr=sorted(granted.amr) or None,
        roles=roles,
    )
    if Scope.OPENID in scopes:
        body["id_token"] = id_token.write(
            exchange, client, granted, body["access_token"], first=first
        )
    return body


def issue_to_client(
    exchange: Exchange, client: Client, scopes: frozenset[str], audiences: tuple[str, ...]
) -> dict[str, Any]:
    """The response to a client that acts for itself: no person, no grant, no refresh token."""
    return _token_response(
        exchange, client, sub=client.client_id, audiences=audiences, scopes=scopes
    )


def issue_on_grant(
    exchange: Exchange,
    client: Client,
    *,
    user_id: str,
    sub: str,
    grant_id: str,
    scopes: frozenset[str],
    audiences: tuple[str, ...],
    lifetime: timedelta | None = None,
    **claims: Any,
) -> dict[str, Any]:
    """The response with nothing but an access token, which is valid only as long as a grant is.

    The grant may be one of another client (RFC 8693).
    """
    scopes, roles = token_scopes.of_person(exchange, user_id, scopes, audiences)
    return _token_response(
        exchange,
        client,
        sub=sub,
        audiences=audiences,
        scopes=scopes,
        lifetime=lifetime,
        grant_id=grant_id,
        roles=roles,
        **claims,
    )


def issue_first(exchange: Exchange, client: Client, granted: Granted) -> dict[str, Any]:
    """The first response to a grant; with a refresh token, if the client is registered for those.

    All that can fail is done before anything is written.
    """
    body = issue(exchange, client, granted, granted.scopes, first=True)
    if client.allows_grant(GrantType.REFRESH_TOKEN):
        body["refresh_token"] = refresh_tokens.mint(
            exchange.db,
            granted,
            exchange.now,
            exchange.lifetimes.refresh_token_idle_lifetime,
            key_of_refresh_token(exchange, client),
        )
    return body


def key_of_refresh_token(exchange: Exchange, client: Client) -> str | None:
    """The key that a new refresh token is bound to (RFC 9449 §5).

    Only a public client needs one: the others authenticate whenever they use it, and may change
    their key.
    """
    return exchange.dpop_jkt if client.is_public else None


def _token_response(
    exchange: Exchange,
    client: Client,
    *,
    sub: str,
    audiences: tuple[str, ...],
    scopes: frozenset[str],
    lifetime: timedelta | None = None,
    **claims: Any,
) -> dict[str, Any]:
    """A signed access token and what goes with it (RFC 6749 §5.1)."""
    lifetime = lifetime or exchange.lifetimes.access_token_lifetime
    jkt = exchange.dpop_jkt
    access_token = access_tokens.write(
        exchange.keys,
        issuer=exchange.issuer,
        sub=sub,
        client_id=client.client_id,
        audiences=audiences,
        scopes=scopes,
        now=exchange.now,
        lifetime=lifetime,
        cnf=None if jkt is None else {"jkt": jkt},
        **claims,
    )
    return {
        "access_token": access_token,
        "token_type": TokenType.BEARER if jkt is None else TokenType.DPOP,
        "expires_in": int(lifetime.total_seconds()),
        "scope": " ".join(sorted(scopes)),
    }
