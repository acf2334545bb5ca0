"""GET and POST /userinfo (Core §5.3)."""

from oidc_server.domain import claims
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.errors import InvalidTokenError
from oidc_server.oauth2.resource_protector import bearer_token, protect
from oidc_server.oauth2.vocabulary import Scope
from oidc_server.web.context import Context
from oidc_server.web.protocol import protocol_error
from oidc_server.web.responses import Response, json


def userinfo(ctx: Context) -> Response:
    """Answer with the claims that the token's scopes allow, as JSON."""
    runtime = ctx.runtime
    try:
        token = bearer_token(ctx.incoming.headers("authorization"), ctx.form.get("access_token"))
        runtime.keys.refresh(ctx.db, ctx.now)
        access_token, state = protect(
            ctx.db,
            runtime.tokens,
            token,
            audience=runtime.issuer,
            scope=Scope.OPENID,
            now=ctx.now,
            with_person=True,
        )
        if state.sub is None:
            raise InvalidTokenError("The access token stands for no person.")
    except OAuth2Error as error:
        return protocol_error(ctx, error)

    return json(
        claims.userinfo(state.person, state.sub, access_token.scopes, state.person.requested_claims)
    )
