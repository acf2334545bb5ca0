"""How a link that was handed to a person arrives: it leaves the address bar and opens nothing.

Mail scanners open links, and addresses are logged and passed on. So the first request only moves
the value into a cookie, the second shows a page, and the button on it posts the value back.
"""

from oidc_server.domain import links
from oidc_server.domain.links import Link, Purpose
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def arrive(ctx: Context, purpose: Purpose, route: str) -> Response | None:
    """For a request that carries a link: 303 to the same page without it. None for any other."""
    value = ctx.query.get("link")
    if value is None:
        return None
    if ctx.runtime.links.read(purpose, value) is None:
        ctx.drop_link()  # and nothing else of it goes into a header
    else:
        ctx.keep_link(value)
    return ctx.redirect(route)


def invalid(ctx: Context, purpose: Purpose, status: int = 400) -> Response:
    """The page for a link that was used already, or is too old."""
    return ctx.render("authentication/link_invalid.html", status=status, purpose=purpose)


def find(ctx: Context, purpose: Purpose, value: str) -> Link | None:
    """The link behind a value, if it could be used now. Nothing is used by looking."""
    link_id = ctx.runtime.links.read(purpose, value)
    return links.find(ctx.db, link_id, purpose, ctx.now) if link_id is not None else None


def consume(ctx: Context, purpose: Purpose, value: str) -> Link | None:
    """Use the link behind a value, once; whatever comes of it, this browser forgets it."""
    ctx.drop_link()
    link_id = ctx.runtime.links.read(purpose, value)
    return links.consume(ctx.db, link_id, purpose, ctx.now) if link_id is not None else None
