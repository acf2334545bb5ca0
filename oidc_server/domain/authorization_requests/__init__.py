"""Authorization requests in flight: stored while a person is interrupted by a page, or pushed."""

from oidc_server.domain.authorization_requests.model import (
    AuthorizationRequest,
    RequestGoneError,
    StoredAuthorizationRequest,
)
from oidc_server.domain.authorization_requests.storage import (
    REQUEST_URI_PREFIX,
    adopt,
    complete,
    consent,
    find,
    open_pushed,
    prune,
    push,
    select_account,
    store,
)

__all__ = [
    "REQUEST_URI_PREFIX",
    "AuthorizationRequest",
    "RequestGoneError",
    "StoredAuthorizationRequest",
    "adopt",
    "complete",
    "consent",
    "find",
    "open_pushed",
    "prune",
    "push",
    "select_account",
    "store",
]
