"""/select-account: whether to go on as the person who is signed in (Core §3.1.2.1)."""

from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.domain import authorization_requests
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_select_account(ctx: Context) -> Response:
    """The account of this browser, and the way to another one."""
    came_from = _came_from(ctx)
    session = ctx.user_session
    if session is None:
        return came_from.go_on(ctx)

    return came_from.render(
        ctx,
        "authentication/select_account.html",
        username=session.username,
        name=session.name,
        sid=session.sid,
    )


def submit_select_account(ctx: Context) -> Response:
    """Note the choice of the session that saw the page, not of one begun meanwhile."""
    came_from = _came_from(ctx)
    session = ctx.user_session

    if session is not None and ctx.form.get("sid") == session.sid and came_from.request_id:
        authorization_requests.select_account(ctx.db, came_from.request_id, session.user_id)
    return came_from.go_on(ctx)


def _came_from(ctx: Context) -> Interrupted:
    """Raises `RequestGoneError`."""
    return interrupted(ctx, ctx.incoming.path_params["request_id"])
