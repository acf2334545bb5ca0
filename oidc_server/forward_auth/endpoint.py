"""GET /forward-auth: whether a request may pass the gateway, and whose it is.

200 with the identity in headers; 401 for nobody, with `Location` where a browser can sign in; 403
for somebody who may not. See docs/gateway.md.
"""

from oidc_server.database import Access
from oidc_server.forward_auth import by_session, by_token, forwarded
from oidc_server.forward_auth.demands import Demands, read
from oidc_server.forward_auth.forwarded import SAFE_METHODS, Forwarded
from oidc_server.web.context import Context
from oidc_server.web.incoming import BadRequestError, Incoming, Params
from oidc_server.web.load.rate_limit import FAILURES, Limit
from oidc_server.web.protocol import access_with_proof
from oidc_server.web.responses import Response

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Of requests that are sent on to us as they came; HEAD is GET."""


def decide(ctx: Context) -> Response:
    """The demands stand in the query, the request in headers (nginx, Traefik)."""
    request = forwarded.told(ctx.incoming)
    return _decide(ctx, request, read(ctx.query, ctx.runtime.issuer))


def decide_in_its_place(ctx: Context) -> Response:
    """The demands stand in a header, the request in the place of ours (Envoy).

    Its query is the client's, so nothing is read from there.
    """
    demanded = ctx.incoming.headers("x-forward-auth")
    if len(demanded) != 1:
        raise BadRequestError("The gateway has to send its demands in X-Forward-Auth.")
    params = Params.parse(demanded[0].encode("latin-1"))
    request = forwarded.in_its_place(ctx.incoming)
    return _decide(ctx, request, read(params, ctx.runtime.issuer))


def access(incoming: Incoming) -> Access:
    """`read`, unless a DPoP proof is used up, or somebody does something in their session."""
    does = forwarded.method_of(incoming) not in SAFE_METHODS and incoming.header("cookie")
    return "write" if does else access_with_proof(incoming)


def failures(incoming: Incoming) -> Limit | None:
    """Tokens can be guessed at; whoever has not signed in yet has failed at nothing."""
    return FAILURES if incoming.header("authorization") is not None else None


def _decide(ctx: Context, request: Forwarded, demands: Demands) -> Response:
    """A token counts before a session: whoever sends one acts by it, and by nothing else."""
    has_token = ctx.incoming.header("authorization") is not None
    if "token" in demands.accept and (has_token or "session" not in demands.accept):
        return by_token.decide(ctx, request, demands)
    return by_session.decide(ctx, request, demands)
