"""/jwks.json: the public keys, those that will sign, sign, and signed lately (RFC 7517 §5)."""

from oidc_server.web.context import Context
from oidc_server.web.responses import Response, public_json

_MAX_AGE = 900
"""Seconds a resource server may keep the document: less than the time a key is published ahead."""


def jwks(ctx: Context) -> Response:
    ctx.runtime.keys.refresh(ctx.db, ctx.now)
    return public_json(ctx.runtime.keys.jwks(ctx.now), max_age=_MAX_AGE)
