"""/jwks.json: the public keys, those that will sign, sign, and signed lately (RFC 7517 §5)."""

from oidc_server.database import Access, DatabaseUnavailableError
from oidc_server.web.context import Context
from oidc_server.web.incoming import Incoming
from oidc_server.web.responses import Response, public_json
from oidc_server.web.runtime import Runtime

_MAX_AGE = 900
"""Seconds a resource server may keep the document: less than the time a key is published ahead."""
_MAX_AGE_MEANWHILE = 60
"""The same while the database is away: the next one is to be up to date soon after it is back."""


def access_to_keys(incoming: Incoming) -> Access | None:
    """`read` where it is time to look at the database; else there is nothing to wait for."""
    runtime: Runtime = incoming.scope["app"].runtime
    return None if runtime.keys.is_fresh(runtime.clock()) else "read"


def jwks(ctx: Context) -> Response:
    """The document; of a few seconds ago where `access_to_keys` gave no transaction."""
    if ctx.has_db:
        ctx.runtime.keys.refresh(ctx.db, ctx.now)
    return public_json(ctx.runtime.keys.jwks(ctx.now), max_age=_MAX_AGE)


def jwks_meanwhile(ctx: Context) -> Response:
    """The document while the database is away, from memory (ADR 0009): tokens are still good.

    Raises `DatabaseUnavailableError` where the keys are not known, or not known lately.
    """
    remembered = ctx.runtime.keys.remembered_jwks(ctx.now)
    if remembered is None:
        raise DatabaseUnavailableError("no keys are remembered")
    return public_json(remembered, max_age=_MAX_AGE_MEANWHILE)
