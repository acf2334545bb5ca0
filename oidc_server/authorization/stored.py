"""A request that was stored, looked at again: its client may have changed meanwhile."""

from oidc_server.authorization.request import Trusted, is_registered
from oidc_server.database import Transaction
from oidc_server.domain import authorization_requests, clients
from oidc_server.domain.authorization_requests import REQUEST_URI_PREFIX, AuthorizationRequest
from oidc_server.languages import Words
from oidc_server.oauth2.vocabulary import ResponseMode
from oidc_server.observability import current
from oidc_server.people.untrusted_request import UntrustedRequestError
from oidc_server.web.context import Context
from oidc_server.web.incoming import Params


def trusted_again(db: Transaction, request: AuthorizationRequest) -> Trusted:
    """Raises `UntrustedRequestError` when client or redirect URI are no longer registered."""
    client = clients.find(db, request.client_id)
    if client is None:
        raise UntrustedRequestError(Words("The client is no longer registered."))
    current.note(client_id=client.client_id)
    if not is_registered(client, request.redirect_uri):
        raise UntrustedRequestError(
            Words("The redirect_uri is no longer registered."), client=client
        )
    return Trusted(client, request.redirect_uri, request.state, ResponseMode(request.response_mode))


def is_pushed(params: Params) -> bool:
    """Whether a request refers to one that was pushed here."""
    return any(uri.startswith(REQUEST_URI_PREFIX) for uri in params.all("request_uri"))


def open_pushed(ctx: Context, params: Params) -> tuple[Trusted, AuthorizationRequest]:
    """The request that a client pushed (RFC 9126 §4); raises `UntrustedRequestError`."""
    for name in ("client_id", "request_uri"):
        if name in params.repeated():
            raise UntrustedRequestError(
                Words("The parameter %(name)s was sent more than once.", name=name)
            )
    client_id, request_uri = params.get("client_id"), params.get("request_uri")
    if client_id is None:
        raise UntrustedRequestError(Words("The parameter %(name)s is missing.", name="client_id"))
    request = authorization_requests.open_pushed(
        ctx.db,
        request_uri or "",
        client_id,
        ctx.browser,
        ctx.now,
        lifetime=ctx.runtime.settings.authorization_request_lifetime,
    )
    if request is None:
        raise UntrustedRequestError(
            Words("The request_uri is unknown, expired or used up."), error="invalid_request_uri"
        )
    return trusted_again(ctx.db, request), request
