"""/docs and /redoc: the description of the API as Swagger UI and as ReDoc show it.

Both are programs of others, which make elements with styles of their own. So these pages alone have
a policy that takes styles with a nonce, and, for ReDoc, two known ones; scripts are our files only.
"""

from oidc_server.security import opaque_tokens
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:;"
    " font-src 'self' data:; connect-src 'self'; worker-src {workers}; form-action 'none';"
    " base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)


def show_swagger_ui(ctx: Context) -> Response:
    """The operations, each ready to be tried; whoever signs in calls them with their own token."""
    _check_shown(ctx)

    page = ctx.render(
        "api_docs/swagger_ui.html",
        client_id=ctx.runtime.settings.api_docs_client_id or "",
        redirect_uri=ctx.url("api_docs.signed_in"),
    )
    # A window that it opens to sign in has to find its way back.
    page.replace_header("cross-origin-opener-policy", "same-origin-allow-popups")
    return _with_policy(page, styles="")


def show_signed_in(ctx: Context) -> Response:
    """Where that window comes back to: it hands the code to the page that opened it."""
    _check_shown(ctx)

    page = ctx.render("api_docs/signed_in.html", popup=True)
    # Its address holds a code, and its script is fetched from us.
    return page.replace_header("referrer-policy", "no-referrer")


def show_redoc(ctx: Context) -> Response:
    """The operations, to be read."""
    _check_shown(ctx)
    nonce = opaque_tokens.mint()

    page = ctx.render("api_docs/redoc.html", nonce=nonce)
    return _with_policy(page, styles=f" 'nonce-{nonce}'", workers="'self' blob:")


def _check_shown(ctx: Context) -> None:
    if not ctx.runtime.settings.api_docs:
        raise NotFoundError


def _with_policy(page: Response, *, styles: str, workers: str = "'none'") -> Response:
    policy = _POLICY.format(styles=styles, workers=workers)
    return page.replace_header("content-security-policy", policy)
