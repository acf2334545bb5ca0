"""/login/step-up: whoever is signed in proves their second factor, be it once more."""

from oidc_server.authentication.interrupted import interrupted
from oidc_server.domain import pending_sign_ins
from oidc_server.web import second_factors
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def step_up(ctx: Context) -> Response:
    """Begin the step, and come back to the page of the console that wants it."""
    came_from, session = interrupted(ctx, None), ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login", return_to=came_from.return_to)
    if not second_factors.has_strong(ctx, session.user_id):
        return came_from.go_on(ctx)

    pending_id = pending_sign_ins.begin_step_up(ctx.db, session, ctx.browser, ctx.now)
    return ctx.redirect(
        "authentication.second_step", pending_id=pending_id, return_to=came_from.return_to
    )
