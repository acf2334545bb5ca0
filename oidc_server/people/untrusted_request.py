"""A request of an app that can neither be served nor sent back to it."""

from oidc_server.domain.clients import Client
from oidc_server.languages import Words, translate
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_EXPLANATION = Words(
    "It sent you here in a way that we cannot answer, so we stopped. You did nothing wrong, and"
    " nothing was shared."
)
_WHAT_TO_DO = Words("Go back to the app. If it happens again, tell the people who run it.")


class UntrustedRequestError(Exception):
    """Nobody vouches for where an answer would go: only a page can tell (RFC 6749 §4.1.2.1).

    `problem` and `details` are for the developers of the app.
    """

    def __init__(self, problem: str, *, client: Client | None = None, **details: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.client = client
        self.details = details


def untrusted_page(
    ctx: Context,
    error: UntrustedRequestError,
    *,
    what_to_do: str = _WHAT_TO_DO,
    way_on: tuple[str, str] | None = None,
) -> Response:
    """400, with a page that says so: the app is at fault, not the person.

    `way_on` is a route of ours, and what its button says.
    """
    ctx.ui_locales = ctx.ui_locales or " ".join(ctx.query.all("ui_locales"))
    page = ctx.render(
        "errors/error.html",
        status=400,
        title=translate(ctx.language, _title(error.client)),
        explanation=translate(ctx.language, _EXPLANATION),
        what_to_do=translate(ctx.language, what_to_do),
        reference=ctx.reference,
        time=ctx.now,
        client=None,
        details=[
            (translate(ctx.language, Words("Problem")), translate(ctx.language, error.problem)),
            *error.details.items(),
        ],
        way_on=way_on and (ctx.path(way_on[0]), translate(ctx.language, way_on[1])),
    )
    return page.refusing(error.details.get("error", "invalid_request"))


def _title(client: Client | None) -> str:
    if client is None:
        return Words("This app is not set up correctly")
    return Words("%(app)s is not set up correctly", app=client.metadata.client_name)
