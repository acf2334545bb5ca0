"""GET and POST /logout (RP-Initiated Logout §2)."""

from dataclasses import dataclass

from oidc_server.domain import clients, subjects
from oidc_server.domain.audit import Event
from oidc_server.domain.clients import Client
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.languages import Words
from oidc_server.logout import front_channel
from oidc_server.oauth2.id_token_hints import read_hint
from oidc_server.oauth2.redirects import MAX_STATE, with_query
from oidc_server.people import browser_session
from oidc_server.people.client_view import ClientView, view_of
from oidc_server.people.untrusted_request import UntrustedRequestError, untrusted_page
from oidc_server.web.context import Context
from oidc_server.web.csrf import ForeignFormError
from oidc_server.web.incoming import Params
from oidc_server.web.responses import Response, see_other

_DOTS_OF_JWE = 4
_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")
_STILL_SIGNED_IN = Words("You are still signed in. You can sign out here, without the app.")
_SIGN_OUT = ("logout.end_session", Words("Sign out"))


@dataclass(frozen=True)
class LogoutRequest:
    """What a client asks for. A redirect is there only if the client registered it."""

    client: Client | None = None
    user_id: str | None = None
    sid: str | None = None
    redirect_uri: str | None = None
    state: str | None = None

    def is_about(self, session: LiveSession) -> bool:
        """Whether the hint was given for this very session."""
        if self.client is None or self.user_id != session.user_id:
            return False
        return self.sid == subjects.sid_for(self.client, session)

    @property
    def location(self) -> str | None:
        """Where the browser goes: with the state as it came, and without if none came (§3)."""
        if self.redirect_uri is None or self.state is None:
            return self.redirect_uri
        return with_query(self.redirect_uri, [("state", self.state)])

    @property
    def view(self) -> ClientView | None:
        if self.client is None:
            return None
        uris = (self.redirect_uri, *self.client.metadata.redirect_uris)
        return view_of(self.client, next(uri for uri in uris if uri) if any(uris) else "")


def end_session(ctx: Context) -> Response:
    """Sign out at once when the hint names the session of this browser; ask otherwise."""
    try:
        request = _read(ctx, ctx.query)
    except UntrustedRequestError as error:
        return _refused(ctx, error)
    session = ctx.user_session

    if session is None:
        return _signed_out(ctx, request, [])
    if request.is_about(session):
        return _end(ctx, request)
    return ctx.render(
        "logout/confirm.html",
        form_targets=(request.view.form_target,) if request.view and request.redirect_uri else (),
        client=request.view,
        username=session.username,
        fields=[
            (name, value) for name in _PARAMETERS if (value := ctx.query.get(name)) is not None
        ],
    )


def end_session_by_post(ctx: Context) -> Response:
    """Our own form signs out. A client's post is answered by the same request as GET.

    A post from another site carries no Lax cookies: only the GET that follows shows who is there.
    """
    try:
        ctx.check_form()
    except ForeignFormError:
        params = {name: value for name in _PARAMETERS if (value := ctx.form.get(name)) is not None}
        return ctx.redirect("logout.end_session", **params)

    try:
        request = _read(ctx, ctx.form)
    except UntrustedRequestError as error:
        return _refused(ctx, error)
    return _end(ctx, request)


def _refused(ctx: Context, error: UntrustedRequestError) -> Response:
    """Nobody is signed out by it: people are told so, and can do without the app."""
    if ctx.user_session is None:
        return untrusted_page(ctx, error)
    return untrusted_page(ctx, error, what_to_do=_STILL_SIGNED_IN, way_on=_SIGN_OUT)


def _end(ctx: Context, request: LogoutRequest) -> Response:
    session, frames = ctx.user_session, []
    if session is not None:
        ctx.record(
            Event.SIGNED_OUT,
            user_id=session.user_id,
            client_id=request.client.client_id if request.client else None,
        )
        frames = front_channel.frames(browser_session.sign_out(ctx), ctx.runtime.issuer)
    return _signed_out(ctx, request, frames)


def _signed_out(ctx: Context, request: LogoutRequest, frames: list[str]) -> Response:
    """On to the client at once, unless others have to be told in frames before."""
    location = request.location
    if location is not None and not frames:
        return see_other(location)
    return ctx.render(
        "logout/signed_out.html",
        frame_sources=front_channel.origins(frames),
        popup=location is not None,
        client=request.view,
        location=location,
        frames=frames,
    )


def _read(ctx: Context, params: Params) -> LogoutRequest:
    """Check hint, client and redirect URI; raises `UntrustedRequestError`, never redirects."""
    for name in params.repeated():
        raise UntrustedRequestError(
            Words("The parameter %(name)s was sent more than once.", name=name)
        )
    ctx.ui_locales = params.get("ui_locales")
    hint, client_id = params.get("id_token_hint"), params.get("client_id")
    sub: object = None
    sid: str | None = None
    if hint is not None:
        if hint.count(".") == _DOTS_OF_JWE:
            raise UntrustedRequestError(
                Words("The id_token_hint is encrypted; send the signed ID Token in it.")
            )
        claims = read_hint(ctx.db, ctx.runtime.keys, hint, issuer=ctx.runtime.issuer, now=ctx.now)
        if claims is None:
            raise UntrustedRequestError(
                Words("The id_token_hint is not an ID Token of this server.")
            )
        if client_id is not None and client_id != claims["aud"]:
            raise UntrustedRequestError(Words("The id_token_hint was issued to another client."))
        client_id, sub, sid = claims["aud"], claims.get("sub"), claims.get("sid")
    client = clients.find(ctx.db, client_id) if client_id is not None else None
    uri = params.get("post_logout_redirect_uri")
    if uri is not None and client is not None:
        if uri not in client.metadata.post_logout_redirect_uris:
            raise UntrustedRequestError(
                Words("The post_logout_redirect_uri is not registered for this client."),
                client=client,
                post_logout_redirect_uri=uri,
            )
    elif uri is not None:
        uri = None  # without a client nobody vouches for the address
    state = params.get("state")
    if state is not None and len(state) > MAX_STATE:
        raise UntrustedRequestError(
            Words("The state is longer than %(most)s characters.", most=MAX_STATE)
        )
    user_id = subjects.find_user(ctx.db, client, sub) if client is not None else None
    return LogoutRequest(client, user_id, sid, uri, state)
