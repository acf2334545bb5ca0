"""POST /revoke: token revocation (RFC 7009)."""

from oidc_server.domain import grants, refresh_tokens, revoked_tokens
from oidc_server.domain.audit import Event
from oidc_server.domain.clients import Client
from oidc_server.oauth2.access_tokens import AccessToken
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.client_authentication import authenticate
from oidc_server.web.context import Context
from oidc_server.web.protocol import exchange_of, protocol_error
from oidc_server.web.responses import Response, empty


def revoke(ctx: Context) -> Response:
    """End a token of this client: a refresh token with its whole grant, an access token alone.

    A token that is unknown or another client's gets the same answer and no effect (RFC 7009 §2.2).
    `token_type_hint` is not needed: the two kinds cannot be confused.
    """
    exchange = exchange_of(ctx)
    try:
        client = authenticate(exchange).client
        token = exchange.required("token")
    except OAuth2Error as error:
        return protocol_error(ctx, error)

    access_token = ctx.runtime.tokens.read(token, ctx.now)
    if access_token is not None:
        _end_token(ctx, client, access_token)
    else:
        _end_grant(ctx, client, token)
    return empty(200)


def _end_token(ctx: Context, client: Client, token: AccessToken) -> None:
    """Written down once, however often it is asked for."""
    if token.client_id != client.client_id:
        return
    if revoked_tokens.revoke(ctx.db, token.jti, token.expires_at):
        ctx.record(Event.TOKEN_REVOKED, client_id=client.client_id, grant_id=token.grant_id)


def _end_grant(ctx: Context, client: Client, refresh_token: str) -> None:
    presented = refresh_tokens.find(ctx.db, refresh_token, ctx.now)
    if presented is None or presented.grant.client_id != client.client_id:
        return
    grant_id = presented.grant.grant_id
    if grants.revoke(ctx.db, grant_id, ctx.now):
        ctx.record(Event.GRANT_REVOKED, client_id=client.client_id, grant_id=grant_id)
