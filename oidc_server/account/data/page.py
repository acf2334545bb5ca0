"""/account/data: what can be done with all of it."""

from oidc_server.people import console
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_data(ctx: Context) -> Response:
    return console.render(ctx, "account/data/page.html")
