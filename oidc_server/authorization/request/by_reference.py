"""Request objects that stand at an address which the client registered (RFC 9101 §5.2, Core §6.2).

Nothing else is ever fetched: without that rule anybody could make us ask anything (RFC 9101 §10.4).
"""

import base64
import hashlib
from datetime import timedelta

from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import InvalidRequestURIError
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.outbound.documents import RETRY_AFTER, Purpose
from oidc_server.outbound.http import Answer
from oidc_server.security.jose import MAX_TOKEN_LENGTH
from oidc_server.web.context import Context


def fetch_object(ctx: Context, client: Client, request_uri: str) -> str:
    """The JWT at a registered `request_uri`, whose fragment is the digest of what stands there.

    Raises `InvalidRequestURIError`, and `FetchNeeded` until the document is here.
    """
    if request_uri not in client.metadata.request_uris:
        raise InvalidRequestURIError("The request_uri is not registered for this client.")
    address, has_fragment, digest = request_uri.partition("#")
    purpose = _UNCHANGING if has_fragment else _CHANGING
    documents = ctx.runtime.documents
    try:
        token: str = documents.get(purpose, address, ctx.now)
    except (OutboundRefusedError, OutboundUnavailableError):
        raise InvalidRequestURIError("No request object could be fetched from there.") from None
    if has_fragment and _digest(token) != digest:
        documents.renew(purpose, address, ctx.now)
        raise InvalidRequestURIError("The request object there has another digest.")
    return token


def _digest(token: str) -> str:
    hashed = hashlib.sha256(token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def _parse(answer: Answer) -> str:
    if answer.status != 200:
        raise ValueError(f"answered {answer.status}")
    if len(answer.body) > MAX_TOKEN_LENGTH:
        raise ValueError("longer than a request object may be")
    return answer.body.decode("ascii")


_ACCEPT = "application/oauth-authz-req+jwt, application/jwt"
_UNCHANGING = Purpose(
    name="request_uri with a digest",
    accept=_ACCEPT,
    lifetime=timedelta(minutes=5),
    stale_lifetime=timedelta(),
    parse=_parse,
)
_CHANGING = Purpose(
    name="request_uri",
    accept=_ACCEPT,
    lifetime=RETRY_AFTER,
    stale_lifetime=timedelta(),
    parse=_parse,
)
"""Kept only for as long as nothing is asked for again, so that nobody makes us hammer a client."""
