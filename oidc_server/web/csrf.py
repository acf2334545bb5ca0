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


def token(key: bytes, browser: str) -> str:
    """The token for forms of the browser with this cookie value."""
    return hmac.new(key, browser.encode(), sha256).hexdigest()


def check(incoming: Incoming, *, key: bytes, browser: str | None, origin: str) -> None:
    """Raise `ForeignFormError` unless `origin` (ours) sent the token of this browser."""
    site = incoming.header("sec-fetch-site")
    sender = incoming.header("origin")
    from_us = site in ("same-origin", "none") if site is not None else sender in (None, origin)
    sent = incoming.form.get(FIELD)
    if not from_us or browser is None or sent is None:
        raise ForeignFormError
    if not hmac.compare_digest(sent.encode(), token(key, browser).encode()):
        raise ForeignFormError
