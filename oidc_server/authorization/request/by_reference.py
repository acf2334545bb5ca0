"""Request objects that stand at an address which the client registered (RFC 9101 §5.2, Core §6.2).

Nothing else is ever fetched: without that rule anybody could make us ask anything (RFC 9101 §10.4).
"""

from datetime import timedelta

from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import InvalidRequestURIError
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.outbound.documents import RETRY_AFTER, Purpose
from oidc_server.security.jose import MAX_TOKEN_LENGTH
from oidc_server.web.context import Context


def fetch_object(ctx: Context, client: Client, request_uri: str) -> str:
    """The JWT at a registered `request_uri`.

    Its fragment only tells versions apart (Core §6.2) and proves nothing: who registers has no
    `client_id` yet, so an address is registered before the object there can be signed.

    Raises `InvalidRequestURIError`, and `FetchNeeded` until the document is here.
    """
    if request_uri not in client.metadata.request_uris:
        raise InvalidRequestURIError("The request_uri is not registered for this client.")
    address = request_uri.partition("#")[0]
    purpose = _PURPOSE.of_client(self_registered=client.self_registered)
    try:
        token: str = ctx.runtime.documents.get(purpose, address, ctx.now)
    except (OutboundRefusedError, OutboundUnavailableError):
        raise InvalidRequestURIError("No request object could be fetched from there.") from None
    return token


def _parse(body: bytes) -> str:
    if len(body) > MAX_TOKEN_LENGTH:
        raise ValueError("longer than a request object may be")
    return body.decode("ascii")


_PURPOSE = Purpose(
    name="request_uri",
    accept="application/oauth-authz-req+jwt, application/jwt",
    lifetime=RETRY_AFTER,
    stale_lifetime=timedelta(),
    parse=_parse,
)
"""Kept only for as long as nothing is asked for again, so that nobody makes us hammer a client."""
