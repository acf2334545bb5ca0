"""Which foreign origins may call us from a browser: those of single-page applications, and listed.

Those of applications come with their redirect URIs, the others from `OIDC_CORS_ORIGINS`. Answers
never allow credentials, so an origin gains nothing that its own user did not give it. Public
documents are for every origin.
"""

from oidc_server.domain import clients
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_SAFELISTED = frozenset({"GET", "POST"})


def preflight(ctx: Context, methods: frozenset[str]) -> Response:
    """Answer `OPTIONS`: a 204 that allows the origin these methods, or allows nothing."""
    response = responses.empty(204)
    if _is_known(ctx):
        allowed = ", ".join(sorted(methods | _SAFELISTED))
        _permit(response, allowed, "authorization, content-type, dpop, idempotency-key")
    return allow(ctx, response)


def preflight_of_published(_ctx: Context) -> Response:
    """The same for what clients discover: everybody may read it, and no header changes it."""
    response = responses.empty(204)
    response.with_header("access-control-allow-origin", "*")
    _permit(response, "GET", "*, authorization")
    return response


def _permit(response: Response, methods: str, headers: str) -> None:
    """What a request may be, for ten minutes."""
    response.with_header("access-control-allow-methods", methods)
    response.with_header("access-control-allow-headers", headers)
    response.with_header("access-control-max-age", "600")


def allow(ctx: Context, response: Response, *, look_up: bool = True) -> Response:
    """Let a known origin read the answer; only one that is listed, unless it may be looked up."""
    response.with_header("vary", "origin")
    if _is_known(ctx, look_up=look_up):
        response.with_header("access-control-allow-origin", ctx.incoming.header("origin") or "")
        response.with_header(
            "access-control-expose-headers",
            "www-authenticate, retry-after, ratelimit, ratelimit-policy, dpop-nonce, x-request-id,"
            " idempotent-replayed",
        )
    return response


def _is_known(ctx: Context, *, look_up: bool = True) -> bool:
    origins = ctx.incoming.headers("origin")
    if len(origins) != 1:
        return False
    listed = ctx.runtime.settings.cors_origins
    return origins[0] in listed or (look_up and clients.is_origin(ctx.db, origins[0]))
