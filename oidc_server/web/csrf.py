"""Forms are accepted from our own pages only.

Two independent checks: what the browser says of the origin of the post, and a token in the form
that is a MAC of the browser's own cookie. Machine endpoints carry no cookies and need neither.
"""

import hmac
from hashlib import sha256

from oidc_server.web.incoming import BadRequestError, Incoming

FIELD = "csrf_token"


class ForeignFormError(BadRequestError):
    """The form was not one that this server gave to this browser."""

    def __init__(self) -> None:
        super().__init__("This form has expired or was sent from another place.", status=403)


class OtherOriginError(ForeignFormError):
    """The form came from a page at another address than ours, `origin`."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self.origin = origin


def token(key: bytes, browser: str) -> str:
    """The token for forms of the browser with this cookie value."""
    return hmac.new(key, browser.encode(), sha256).hexdigest()


def is_foreign(incoming: Incoming, origin: str) -> bool:
    """Whether a page at another address than `origin` (ours) sent this, as the browser says."""
    site = incoming.header("sec-fetch-site")
    if site is None:
        return incoming.header("origin") not in (None, origin)
    return site not in ("same-origin", "none")


def check(incoming: Incoming, *, key: bytes, browser: str | None, origin: str) -> None:
    """Raise `ForeignFormError` unless `origin` (ours) sent the token of this browser.

    It is `OtherOriginError` for a page at another address. Where a browser does not judge that
    itself, these may be our own pages, called by a name that is not that of the issuer.
    """
    if is_foreign(incoming, origin):
        raise OtherOriginError(origin)
    sent = incoming.form.get(FIELD)
    if browser is None or sent is None:
        raise ForeignFormError
    if not hmac.compare_digest(sent.encode(), token(key, browser).encode()):
        raise ForeignFormError
