"""Who a request comes from, as headers for the service behind the gateway."""

from collections.abc import Collection
from dataclasses import dataclass
from string import punctuation
from urllib.parse import quote

from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.errors import oauth_error
from oidc_server.web.responses import Response

_KEPT = punctuation.replace("%", "")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the service is told. What is empty or None is not told."""

    sub: str | None = None
    username: str | None = None
    email: str | None = None
    """Only one that was proven."""
    scopes: Collection[str] = ()
    roles: Collection[str] = ()
    client_id: str | None = None
    """The client that acts; None for the browser of the person."""

    def allowed(self) -> Response:
        """200: of all that is good, Envoy takes nothing else."""
        response = responses.empty(200)
        told = {
            "x-auth-user": self.sub,
            "x-auth-username": self.username,
            "x-auth-email": self.email,
            "x-auth-client": self.client_id,
        }
        for name, value in told.items():
            if value:
                response.with_header(name, _written(value))
        for name, values in (("x-auth-scopes", self.scopes), ("x-auth-roles", self.roles)):
            if values:
                response.with_header(name, " ".join(map(_written, sorted(values))))
        return response


def refused(ctx: Context, reason: str) -> Response:
    """403: who it is, is known, and they may not."""
    return oauth_error("access_denied", reason, 403, ctx.reference)


def _written(value: str) -> str:
    """As a header can hold it: blanks, `%` and all that is not ASCII percent-encoded UTF-8."""
    return quote(value, safe=_KEPT)
