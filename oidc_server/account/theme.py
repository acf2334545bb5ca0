"""/account/theme: light, dark, or as the system has it; kept in a cookie of this browser."""

from oidc_server.people import console
from oidc_server.web import responses
from oidc_server.web.context import THEMES, Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response

_SYSTEM = "system"


def submit_theme(ctx: Context) -> Response:
    """Keep the choice, and go back to the page with the menu."""
    chosen = ctx.form.text("theme")
    if chosen not in (*THEMES, _SYSTEM):
        raise NotFoundError

    ctx.keep_theme(None if chosen == _SYSTEM else chosen)
    return responses.see_other(console.way_back(ctx.form.get("to")) or ctx.path("account.overview"))
