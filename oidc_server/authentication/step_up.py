"""/login/step-up: whoever is signed in proves their second factor, perhaps again."""

from oidc_server.authentication.interrupted import interrupted
from oidc_server.domain import pending_sign_ins
from oidc_server.people import second_factors
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def step_up(ctx: Context) -> Response:
    """Begin the step, and come back to the request or the page of the console that wants it.

    Whoever must have a factor and has none signs in again, and sets one up on the way: a session
    alone, which may be stolen, is not enough.
    """
    came_from = interrupted(ctx, ctx.query.get("request_id"))
    session = ctx.user_session
    back = {"request_id": came_from.request_id, "return_to": came_from.return_to}
    if session is None:
        return ctx.redirect("authentication.login", **back)
    if not second_factors.has_strong(ctx, session.user_id):
        if second_factors.are_required_of(ctx, session.user_id):
            return ctx.redirect("authentication.login", reason="login_again", **back)
        return came_from.go_on(ctx)

    pending_id = pending_sign_ins.begin_step_up(
        ctx.db, session, ctx.browser, ctx.now, request_id=came_from.request_id
    )
    return ctx.redirect(
        "authentication.second_step", pending_id=pending_id, return_to=came_from.return_to
    )
