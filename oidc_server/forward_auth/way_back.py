"""Back to a service behind the gateway, for somebody who had to sign in first.

The sign-in carries one path of ours; in it stands where the person wanted to go, on this very host.
"""

from oidc_server.security import base64url
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.paths import is_on_this_host
from oidc_server.web.responses import Response

_LONGEST = 1000


def remembered(ctx: Context, uri: str) -> str | None:
    """The path to come back by; None for an address that nobody is sent to."""
    if not _may_be(uri):
        return None
    return ctx.path("forward_auth.back", address=base64url.encode(uri.encode("ascii")))


def go_back(ctx: Context) -> Response:
    """To the service. Raises `NotFoundError` for what is no address on this host."""
    try:
        uri = base64url.decode(ctx.incoming.path_params["address"]).decode("ascii")
    except ValueError:
        raise NotFoundError from None
    if not _may_be(uri):
        raise NotFoundError
    return responses.see_other(uri)


def _may_be(uri: str) -> bool:
    return len(uri) <= _LONGEST and is_on_this_host(uri)
