"""/.well-known/passkey-endpoints: where passkeys are made and kept (W3C Passkey Endpoints §3)."""

import orjson

from oidc_server.web.context import Context
from oidc_server.web.responses import Response, public_json

_MAX_AGE = 3600


def passkey_endpoints(ctx: Context) -> Response:
    """For password managers, which lead people there."""
    document = {
        "enroll": ctx.url("account.new_passkey"),
        "manage": ctx.url("account.security"),
    }
    return public_json(orjson.dumps(document), max_age=_MAX_AGE)
