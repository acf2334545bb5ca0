"""The request that a gateway asks about: told in headers, or standing in the place of ours."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from oidc_server.web.incoming import BadRequestError, Incoming

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Those with which nothing is done (RFC 9110 §9.2.1)."""
_PREFIX = "/forward-auth/request"


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What was asked of the gateway. `uri` is the path with its query, as it was sent."""

    method: str
    uri: str
    host: str | None
    """Where the gateway says that it was sent to; None if it does not."""

    @property
    def path(self) -> str:
        return self.uri.partition("?")[0]

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE_METHODS

    def is_for(self, issuer: str) -> bool:
        """Whether it was sent to the host of the issuer, as far as we are told."""
        return self.host is None or self.host.lower() == urlsplit(issuer).netloc.lower()


def told(incoming: Incoming) -> Forwarded:
    """What the headers of the gateway say; raises `BadRequestError` if they do not.

    There is one spelling of them, which the gateway sets itself: a second one could be the
    client's, who would then choose for which request its DPoP proof is good.
    """
    method, uri = incoming.headers("x-forwarded-method"), incoming.headers("x-forwarded-uri")
    if len(method) != 1 or len(uri) != 1:
        raise BadRequestError("The gateway has to send X-Forwarded-Method and X-Forwarded-Uri.")
    return Forwarded(method[0], uri[0], incoming.header("x-forwarded-host"))


def in_its_place(incoming: Incoming) -> Forwarded:
    """The request itself, behind our prefix: so does Envoy ask."""
    path = incoming.sent_path.removeprefix(_PREFIX)
    query = incoming.scope["query_string"].decode("latin-1")
    uri = f"{path}?{query}" if query else path
    return Forwarded(incoming.method, uri, incoming.header("host"))


def method_of(incoming: Incoming) -> str:
    """The method asked about, before anything else is known of it."""
    return incoming.header("x-forwarded-method") or incoming.method
