"""POST /introspect: token introspection (RFC 7662), as JSON or as a JWT (RFC 9701)."""

from typing import Any

from oidc_server.domain import refresh_tokens, resources
from oidc_server.domain.clients import Client
from oidc_server.domain.token_states import TokenState
from oidc_server.oauth2.access_tokens import AccessToken
from oidc_server.oauth2.authlib import InvalidClientError, OAuth2Error
from oidc_server.oauth2.client_authentication import authenticate
from oidc_server.oauth2.resource_protector import state_of
from oidc_server.oauth2.vocabulary import INTROSPECTION_TYPE, Scope, TokenType
from oidc_server.web.context import Context
from oidc_server.web.protocol import exchange_of, protocol_error
from oidc_server.web.responses import Response, json, jwt

_JWT = f"application/{INTROSPECTION_TYPE}"
_INACTIVE: dict[str, Any] = {"active": False}


def introspect(ctx: Context) -> Response:
    """Say what a token is worth. Whatever this client may not know about is simply not active.

    The state of an access token is read first, since that tells of its client too.
    """
    exchange = exchange_of(ctx)
    access_token = ctx.runtime.tokens.read(exchange.form.get("token", ""), ctx.now)
    state = None if access_token is None else state_of(ctx.db, access_token)
    try:
        client = authenticate(exchange).client
        if client.is_public:
            raise InvalidClientError("Introspection needs a client secret.", status_code=401)
        token = exchange.required("token")
    except OAuth2Error as error:
        return protocol_error(ctx, error)

    if access_token is not None and state is not None:
        told = _access_token(ctx, client, access_token, state)
    else:
        told = _refresh_token(ctx, client, token)
    return _signed(ctx, client, told) if _wants_jwt(ctx) else json(told)


def _access_token(
    ctx: Context, client: Client, token: AccessToken, state: TokenState
) -> dict[str, Any]:
    sees_all = client.metadata.may_introspect
    is_own = token.client_id == client.client_id
    if not (sees_all or is_own or resources.serves(ctx.db, client.client_id, token.audiences)):
        return _INACTIVE
    if not state.holds:
        return _INACTIVE
    token_type = TokenType.BEARER if token.jkt is None else TokenType.DPOP
    body = {"active": True, "token_type": token_type, **token.claims}
    # The name would tell a pairwise client, or a resource, more than the token was given for.
    if state.username is not None and (sees_all or Scope.PROFILE in token.scopes):
        body["username"] = state.username
    return body


def _refresh_token(ctx: Context, client: Client, token: str) -> dict[str, Any]:
    presented = refresh_tokens.find(ctx.db, token, ctx.now)
    if presented is None or presented.rotated_at is not None or not presented.holds(ctx.now):
        return _INACTIVE
    grant = presented.grant
    if grant.client_id != client.client_id and not client.metadata.may_introspect:
        return _INACTIVE
    bound = {} if presented.dpop_jkt is None else {"cnf": {"jkt": presented.dpop_jkt}}
    return {
        "active": True,
        "iss": ctx.runtime.issuer,
        "sub": grant.sub,
        "client_id": grant.client_id,
        "scope": " ".join(sorted(grant.scopes)),
        "exp": int(presented.expires_at.timestamp()),
        "iat": int(grant.created_at.timestamp()),
        **bound,
    }


def _wants_jwt(ctx: Context) -> bool:
    return ctx.incoming.prefers(_JWT, over="application/json")


def _signed(ctx: Context, client: Client, told: dict[str, Any]) -> Response:
    """The answer as a JWT for this client alone (RFC 9701 §5).

    `sub` and `exp` stand inside `token_introspection` only, so nobody takes it for another token.
    """
    algorithm = client.metadata.introspection_signed_response_alg or "RS256"
    claims = {
        "iss": ctx.runtime.issuer,
        "aud": client.client_id,
        "iat": int(ctx.now.timestamp()),
        "token_introspection": told,
    }
    signer = ctx.runtime.keys.signer(algorithm, ctx.now)
    return jwt(signer.sign(claims, typ=INTROSPECTION_TYPE), _JWT)
