"""/jwks.json: the public keys, those that will sign, sign, and signed lately (RFC 7517 §5)."""

from oidc_server.database import Access
from oidc_server.web.context import Context
from oidc_server.web.incoming import Incoming
from oidc_server.web.responses import Response, public_json
from oidc_server.web.runtime import Runtime

_MAX_AGE = 900
"""Seconds a resource server may keep the document: less than the time a key is published ahead."""


def access_to_keys(incoming: Incoming) -> Access | None:
    """`read` where it is time to look at the database; else there is nothing to wait for."""
    runtime: Runtime = incoming.scope["app"].runtime
    return None if runtime.keys.is_fresh(runtime.clock()) else "read"


def jwks(ctx: Context) -> Response:
    """The document; of a few seconds ago where `access_to_keys` gave no transaction."""
    if ctx.has_db:
        ctx.runtime.keys.refresh(ctx.db, ctx.now)
    return public_json(ctx.runtime.keys.jwks(ctx.now), max_age=_MAX_AGE)
