"""/dev/app: a small app to try the server with, and to see what an app gets to know.

The browser goes through the real `/authorize`, and the code is redeemed at the real `/token`, by an
HTTP request to the issuer's address.
"""

from dataclasses import asdict
from datetime import timedelta

from starlette.types import Receive, Scope, Send

from oidc_server.dev import relying_party
from oidc_server.dev.records import Records
from oidc_server.dev.relying_party import Attempt, Registration, SignInError
from oidc_server.domain import client_metadata, clients
from oidc_server.security import opaque_tokens
from oidc_server.web import errors
from oidc_server.web.context import Context
from oidc_server.web.errors import MethodNotAllowedError
from oidc_server.web.incoming import Incoming
from oidc_server.web.responses import Response, see_other

_COOKIE = "dev-app"
_LIFETIME = timedelta(hours=1)
_METHODS = frozenset({"GET"})


def show_app(ctx: Context) -> Response:
    """Who is signed in, and what the app knows of them; or the button to sign in."""
    session = _records(ctx, "sessions").get(_name(_handle(ctx)))

    return ctx.render("dev/app.html", session=session, error=None)


def sign_in(ctx: Context) -> Response:
    """Send the browser to the authorization endpoint, and remember what for."""
    app = _register(ctx)
    attempt = Attempt.begin()
    handle = opaque_tokens.mint()
    _records(ctx, "attempts").put(_name(handle), asdict(attempt))

    address = ctx.url("authorization.authorize") + "?" + attempt.authorization_request(app)
    response = see_other(address)
    ctx.runtime.cookies.write(response, _COOKIE, handle, _LIFETIME)
    return response


def sign_out(ctx: Context) -> Response:
    """Forget who is signed in here, and have the server do the same (RP-Initiated Logout §2)."""
    session = _records(ctx, "sessions").take(_name(_handle(ctx)))

    if session is None:
        return ctx.redirect("dev.app")

    response = ctx.redirect(
        "logout.end_session",
        id_token_hint=session["raw_id_token"],
        post_logout_redirect_uri=ctx.url("dev.app"),
    )
    ctx.runtime.cookies.remove(response, _COOKIE)
    return response


class Callback:
    """Where the browser comes back to.

    An ASGI endpoint of its own: it waits for answers of this very server, and a handler that waits
    would keep the server from giving them.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ctx = Context(Incoming(scope), scope["app"].runtime, opaque_tokens.mint(9))
        try:
            response = await _come_back(ctx)
        except SignInError as error:
            told = {"error": error.error, "error_description": error.description}
            response = ctx.render("dev/app.html", session=None, error=told, status=400)
        except Exception as error:  # noqa: BLE001 - what the adapter does for every other endpoint
            response = errors.answer(ctx, error, errors.as_page)
        ctx.finish(response).with_header("x-request-id", ctx.reference)
        await response(scope, receive, send)


async def _come_back(ctx: Context) -> Response:
    if ctx.incoming.method not in _METHODS:
        raise MethodNotAllowedError(_METHODS)
    remembered = _records(ctx, "attempts").take(_name(_handle(ctx)))
    app = _registration(ctx)
    if remembered is None or app is None:
        raise SignInError("invalid_state", "This sign-in is over. Start again.")
    attempt = Attempt(**remembered)
    code = relying_party.read_response(app, attempt, ctx.query.single())

    # Loaded where it is used: no server without --dev has to hold it.
    import httpx2  # noqa: PLC0415 - see above

    # Settings are read in one place, so the environment has no say here (proxies, netrc).
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as http:
        session = await relying_party.redeem(http, app, attempt, code, ctx.runtime.clock())

    handle = opaque_tokens.mint()
    _records(ctx, "sessions").put(_name(handle), asdict(session))
    response = ctx.redirect("dev.app")
    ctx.runtime.cookies.write(response, _COOKIE, handle, _LIFETIME)
    return response


def _register(ctx: Context) -> Registration:
    """The registration of the app, made when it is used for the first time."""
    ctx.db.lock("dev-app")
    app = _registration(ctx)
    if app is not None and clients.find(ctx.db, app.client_id) is not None:
        return app
    redirect_uri = ctx.url("dev.app_callback")
    metadata = client_metadata.for_type(
        "web",
        client_name="Sample app",
        redirect_uris=[redirect_uri],
        post_logout_redirect_uris=[ctx.url("dev.app")],
    )
    made = clients.create(ctx.db, client_type="web", metadata=metadata, now=ctx.now)
    app = Registration(
        ctx.runtime.issuer, made.client.client_id, made.client_secret or "", redirect_uri
    )
    _records(ctx, "registrations").put(_name(app.issuer), asdict(app))
    return app


def _registration(ctx: Context) -> Registration | None:
    """The registration that was made for this issuer."""
    document = _records(ctx, "registrations").get(_name(ctx.runtime.issuer))
    return None if document is None else Registration(**document)


def _records(ctx: Context, kind: str) -> Records:
    return Records(ctx.runtime.settings.data_dir / "dev-app" / kind)


def _handle(ctx: Context) -> str:
    """What the browser holds; its records are found by a digest of it."""
    return ctx.runtime.cookies.read(ctx.incoming, _COOKIE) or ""


def _name(handle: str) -> str:
    return opaque_tokens.digest(handle).hex()
