"""Whoever is signed in with this browser. Its cookie goes to the host of the issuer only."""

from oidc_server.domain import factors, roles, user_sessions, users
from oidc_server.domain.factors.strength import included, reachable_acr
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.forward_auth import way_back
from oidc_server.forward_auth.demands import Demands
from oidc_server.forward_auth.forwarded import Forwarded
from oidc_server.forward_auth.identity import Identity, refused
from oidc_server.oauth2.errors import InvalidTokenError
from oidc_server.people import second_factors
from oidc_server.web import csrf, responses
from oidc_server.web.context import Context
from oidc_server.web.errors import oauth_error
from oidc_server.web.protocol import protocol_error
from oidc_server.web.responses import Response


def decide(ctx: Context, request: Forwarded, demands: Demands) -> Response:
    """Let the person through, or send them to sign in, or to do so more strongly."""
    session = ctx.user_session
    if session is None:
        return _sent_to(ctx, request, demands, "authentication.login")
    # `SameSite=Lax` keeps the cookie from foreign sites already, but not from sibling hosts.
    if not request.is_safe and csrf.is_foreign(ctx.incoming, ctx.runtime.issuer):
        return refused(ctx, "A page of another site sent this in the name of the person.")
    if second_factors.are_owed_by(ctx, session):
        return _sent_to(ctx, request, demands, "authentication.step_up")
    held = roles.roles_of(ctx.db, session.user_id)
    if not demands.met_by(held):
        return refused(ctx, "This needs a role that the person does not have.")
    if demands.acr is not None and demands.acr not in included(session.acr):
        if demands.acr in included(reachable_acr(factors.held_by(ctx.db, session.user_id))):
            return _sent_to(ctx, request, demands, "authentication.step_up")
        return refused(ctx, "This needs a second factor that the person does not have.")

    if not request.is_safe:
        idle = ctx.runtime.settings.session_idle_lifetime
        user_sessions.touch(ctx.db, session, ctx.now, idle)
    return _identity(ctx, session, held).allowed()


def _sent_to(ctx: Context, request: Forwarded, demands: Demands, route: str) -> Response:
    """401, and where a browser that wants a page signs in; a script is not sent anywhere."""
    wants_page = ctx.incoming.prefers("text/html", over="application/json")
    back = way_back.remembered(ctx, request.uri)
    location = None
    if request.method == "GET" and wants_page and back and request.is_for(ctx.runtime.issuer):
        location = ctx.path(route, return_to=back)
    if location is not None and demands.redirect:
        return responses.see_other(location)
    if "token" in demands.accept:
        refusal = InvalidTokenError("Sign in, or send an access token.", presented=False)
        response = protocol_error(ctx, refusal)
    else:
        response = oauth_error("login_required", "Sign in.", 401, ctx.reference)
    return response if location is None else response.with_header("location", location)


def _identity(ctx: Context, session: LiveSession, held: frozenset[str]) -> Identity:
    """The operator's own service, on the issuer's own host, is told what a page of ours shows."""
    person = users.get(ctx.db, session.user_id)
    return Identity(
        sub=session.user_id,
        username=session.username,
        email=person.email if person.email_verified_at is not None else None,
        roles=held,
    )
