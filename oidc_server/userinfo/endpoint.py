"""GET and POST /userinfo (Core §5.3)."""

from ..domain import claims
from ..oauth2.authlib import OAuth2Error
from ..oauth2.resource_protector import bearer_token, protect
from ..oauth2.vocabulary import Scope
from ..web.context import Context
from ..web.protocol import protocol_error
from ..web.responses import Response, json


def userinfo(ctx: Context) -> Response:
    """Answer with the claims that the token's scopes allow, as JSON."""
    runtime = ctx.runtime
    try:
        token = bearer_token(
            ctx.incoming.headers("authorization"), ctx.form.get("access_token")
        )
        runtime.keys.refresh(ctx.db, ctx.now)
        access_token, state = protect(
            ctx.db,
            runtime.tokens,
            token,
            audience=runtime.issuer,
            scope=Scope.OPENID,
            now=ctx.now,
        )
    except OAuth2Error as error:
        return protocol_error(ctx, error)

    return json(claims.userinfo(state, access_token.scopes))
