"""POST /introspect: token introspection (RFC 7662)."""

from typing import Any

from oidc_server.domain import refresh_tokens
from oidc_server.domain.clients import Client
from oidc_server.oauth2.access_tokens import AccessToken
from oidc_server.oauth2.authlib import InvalidClientError, OAuth2Error
from oidc_server.oauth2.client_authentication import authenticate
from oidc_server.oauth2.resource_protector import state_of
from oidc_server.token import issuer
from oidc_server.web.context import Context
from oidc_server.web.protocol import exchange_of, protocol_error
from oidc_server.web.responses import Response, json

_INACTIVE: dict[str, Any] = {"active": False}


def introspect(ctx: Context) -> Response:
    """Say what a token is worth. Whatever this client may not know about is simply not active."""
    exchange = exchange_of(ctx)
    try:
        client = authenticate(exchange).client
        if client.is_public:
            raise InvalidClientError("Introspection needs a client secret.", status_code=401)
        token = issuer.required(exchange, "token")
    except OAuth2Error as error:
        return protocol_error(ctx, error)

    access_token = ctx.runtime.tokens.read(token, ctx.now)
    if access_token is not None:
        return json(_access_token(ctx, client, access_token))
    return json(_refresh_token(ctx, client, token))


def _access_token(ctx: Context, client: Client, token: AccessToken) -> dict[str, Any]:
    may_know = client.metadata.may_introspect or token.client_id == client.client_id
    if not may_know:
        return _INACTIVE
    state = state_of(ctx.db, token)
    if not state.holds:
        return _INACTIVE
    body = {"active": True, "token_type": "Bearer", **token.claims}
    if state.username is not None:
        body["username"] = state.username
    return body


def _refresh_token(ctx: Context, client: Client, token: str) -> dict[str, Any]:
    presented = refresh_tokens.find(ctx.db, token, ctx.now)
    if presented is None or presented.rotated_at is not None or not presented.holds(ctx.now):
        return _INACTIVE
    grant = presented.grant
    if grant.client_id != client.client_id and not client.metadata.may_introspect:
        return _INACTIVE
    return {
        "active": True,
        "iss": ctx.runtime.issuer,
        "sub": grant.sub,
        "client_id": grant.client_id,
        "scope": " ".join(sorted(grant.scopes)),
        "exp": int(presented.expires_at.timestamp()),
        "iat": int(grant.created_at.timestamp()),
    }
