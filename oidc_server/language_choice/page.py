"""/language: where the foot of every page leads; the choice is kept in a cookie of this browser."""

from oidc_server import languages
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.paths import is_on_this_host
from oidc_server.web.responses import Response


def show_language(ctx: Context) -> Response:
    """A button for each language; it leads back to the page that somebody came from."""
    return ctx.render(
        "language_choice/language.html",
        names=languages.NAMES,
        to=_way_back(ctx, ctx.query.get("to")),
    )


def submit_language(ctx: Context) -> Response:
    """Keep the choice, and go back."""
    chosen = ctx.form.text("language")
    if chosen not in languages.SUPPORTED:
        raise NotFoundError

    ctx.keep_language(chosen)
    return responses.see_other(_way_back(ctx, ctx.form.get("to")))


def _way_back(ctx: Context, path: str | None) -> str:
    return path if path and is_on_this_host(path) else ctx.path("account.overview")
