"""A request that was stored, looked at again: its client may have changed meanwhile."""

from oidc_server.authorization.request import Trusted, UntrustedRequestError, is_registered
from oidc_server.database import Transaction
from oidc_server.domain import clients
from oidc_server.domain.authorization_requests import AuthorizationRequest


def trusted_again(db: Transaction, request: AuthorizationRequest) -> Trusted:
    """Raises `UntrustedRequestError` when client or redirect URI are no longer registered."""
    client = clients.find(db, request.client_id)
    if client is None:
        raise UntrustedRequestError("The client is no longer registered.")
    if not is_registered(client, request.redirect_uri):
        raise UntrustedRequestError("The redirect_uri is no longer registered.", client=client)
    return Trusted(client, request.redirect_uri, request.state, request.response_mode)
