"""/login/providers/connect/{sign_in_id}: connect an account elsewhere to the one that one has here.

It takes proof of both, the one here after the one there: by a password or a passkey, with whatever
else this account asks for. Then whoever came from an app goes back to it.
"""

from oidc_server.authentication.providers import newcomer
from oidc_server.authentication.providers.newcomer import Newcomer
from oidc_server.domain import upstream_sign_ins
from oidc_server.domain.authorization_requests import RequestGoneError
from oidc_server.domain.identities import IdentityTakenError
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.people import linked_identities, provider_sign_in, second_factors
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_connecting(ctx: Context) -> Response:
    """Ask for the sign-in that is missing, or whether to connect."""
    waiting = newcomer.waiting(ctx)
    session = _owner(ctx, waiting)
    if session is None:
        return _ask_for_sign_in(ctx, waiting)
    return _page(ctx, waiting, session)


def submit_connecting(ctx: Context) -> Response:
    """Connect the two, and go back to what was interrupted."""
    waiting = newcomer.waiting(ctx)
    session = _owner(ctx, waiting)
    if session is None:
        return _ask_for_sign_in(ctx, waiting)
    if not upstream_sign_ins.finish(ctx.db, waiting.sign_in, ctx.browser, ctx.now):
        raise RequestGoneError

    try:
        linked_identities.link(ctx, session.user_id, waiting.provider, waiting.told)
    except IdentityTakenError:
        return ctx.redirect("account.security", notice="provider_taken")
    ctx.keep_provider(waiting.provider.name)
    came_from = waiting.came_from
    response = came_from.go_on(ctx)
    location = response.header("location")
    if location is None or came_from.client is None:
        return ctx.redirect("account.security", notice="provider_connected")
    return provider_sign_in.onward(ctx, location, came_from.client.name)


def _owner(ctx: Context, waiting: Newcomer) -> LiveSession | None:
    """Whoever has signed in here since they did there, with all that is asked of them."""
    session, proven_at = ctx.user_session, waiting.sign_in.proven_at
    if session is None or proven_at is None or session.auth_time < proven_at:
        return None
    return None if second_factors.must_step_up(ctx, session) else session


def _ask_for_sign_in(ctx: Context, waiting: Newcomer) -> Response:
    session, proven_at = ctx.user_session, waiting.sign_in.proven_at
    here = ctx.path("authentication.connect_provider", sign_in_id=waiting.sign_in.id)
    if session is None:
        return ctx.redirect("authentication.login", return_to=here)
    if proven_at is None or session.auth_time < proven_at:
        return ctx.redirect("authentication.login", return_to=here, reason="login_again")
    return ctx.redirect("authentication.step_up", return_to=here)


def _page(ctx: Context, waiting: Newcomer, session: LiveSession) -> Response:
    return waiting.came_from.render(
        ctx,
        "authentication/providers/connecting.html",
        provider=waiting.provider,
        sign_in_id=waiting.sign_in.id,
        account=linked_identities.account_of(waiting.told),
        username=session.username,
    )
