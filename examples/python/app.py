"""A third-party application that signs people in through the server. See the README beside it."""

import os
import secrets
from html import escape
from urllib.parse import urlencode

from authlib.integrations.starlette_client import OAuth, OAuthError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
HOME = os.environ.get("HOME_URL", "http://localhost:9001")

oauth = OAuth()
oauth.register(
    "id",
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


async def home(request: Request) -> Response:
    """Say who is signed in."""
    person = request.session.get("person")
    if person is None:
        return HTMLResponse('<h1>Python example</h1><p><a id="sign-in" href="/sign-in">Sign in</a>')
    # Not everybody tells their name.
    name = escape(person.get("name") or person["preferred_username"])
    email = escape(person.get("email", ""))
    return HTMLResponse(
        f'<h1>Python example</h1><p id="person">{name} ({email})</p>'
        '<p><a id="sign-out" href="/sign-out">Sign out</a>'
    )


async def sign_in(request: Request) -> Response:
    """Send the browser to the server."""
    answer: Response = await oauth.id.authorize_redirect(request, f"{HOME}/callback")
    return answer


async def callback(request: Request) -> Response:
    """Where the browser comes back to: exchange the code, and keep what is needed."""
    try:
        token = await oauth.id.authorize_access_token(request)
    except OAuthError as error:
        return HTMLResponse(f'<h1 id="refused">{escape(error.error)}</h1>', status_code=400)
    request.session["person"] = dict(await oauth.id.userinfo(token=token))
    request.session["id_token"] = token["id_token"]
    return RedirectResponse("/", status_code=303)


async def sign_out(request: Request) -> Response:
    """Sign out here, and at the server."""
    hint = request.session.get("id_token", "")
    request.session.clear()
    metadata = await oauth.id.load_server_metadata()
    query = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": f"{HOME}/"})
    return RedirectResponse(f"{metadata['end_session_endpoint']}?{query}", status_code=303)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/sign-in", sign_in),
        Route("/callback", callback),
        Route("/sign-out", sign_out),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(32))],
)
