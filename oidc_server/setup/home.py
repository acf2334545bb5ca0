"""/: the account; on a server without administrator, how to set it up."""

from oidc_server.domain import roles
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_home(ctx: Context) -> Response:
    """Whoever is signed in sees their account, the others the login page."""
    if ctx.user_session is not None:
        return ctx.redirect("account.overview")
    if roles.administrator_exists(ctx.db):
        return ctx.redirect("authentication.login")
    return ctx.render("setup/waiting.html")
