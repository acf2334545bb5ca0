"""/login/set-up/…: an authenticator app for somebody who must have one before they go on."""

from oidc_server.authentication import arrival
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.authentication.next_factor import Enrol
from oidc_server.domain import pending_sign_ins
from oidc_server.domain.authorization_requests import RequestGoneError
from oidc_server.domain.factors import Factor, totp
from oidc_server.domain.factors.strength import METHODS, with_methods
from oidc_server.domain.factors.totp import Enrolment
from oidc_server.domain.pending_sign_ins import PendingSignIn
from oidc_server.people import own_second_factors
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_enrolment(ctx: Context) -> Response:
    pending, came_from, enrolment = _enrolment(ctx)
    return _page(ctx, came_from, pending, enrolment)


def submit_enrolment(ctx: Context) -> Response:
    """Take the first code of the app as the second step, and show the recovery codes once."""
    pending, came_from, enrolment = _enrolment(ctx, take=True)
    code = totp.normalized(ctx.form.text("code"))
    if code is None:
        return _page(ctx, came_from, pending, enrolment, error="malformed")

    codes = own_second_factors.confirm_authenticator(ctx, pending.user_id, enrolment, "", code)
    if codes is None:
        minutes = totp.minutes_off(enrolment, code, ctx.now)
        error = "wrong" if minutes is None else "clock"
        return _page(ctx, came_from, pending, enrolment, error=error, minutes=minutes or 0)
    amr = with_methods(pending.amr, METHODS[Factor.TOTP])
    onwards = arrival.go_further(ctx, came_from, pending, amr)
    if onwards is None:
        raise RequestGoneError
    if not codes:
        return onwards
    return came_from.render(ctx, "authentication/recovery_codes.html", codes=codes)


def submit_saved(ctx: Context) -> Response:
    """The person has kept their recovery codes, and goes on to where they wanted."""
    return interrupted(ctx, ctx.form.get("request_id")).go_on(ctx)


def _enrolment(ctx: Context, *, take: bool = False) -> tuple[PendingSignIn, Interrupted, Enrolment]:
    """What is being set up here; raises `RequestGoneError` if nothing is, or has to be.

    With `take`, nobody else takes this step before it is over.
    """
    params = ctx.incoming.path_params
    find = pending_sign_ins.hold if take else pending_sign_ins.find
    pending = find(ctx.db, params["pending_id"], ctx.browser, ctx.now)
    if pending is None:
        raise RequestGoneError
    came_from = interrupted(ctx, pending.request_id)
    enrolment = totp.find_enrolment(
        ctx.db, ctx.runtime.vault, pending.user_id, params["factor_id"], ctx.now
    )
    missing = arrival.still_missing(ctx, came_from, pending.user_id, pending.amr)
    if enrolment is None or not isinstance(missing, Enrol):
        raise RequestGoneError
    return pending, came_from, enrolment


def _page(
    ctx: Context,
    came_from: Interrupted,
    pending: PendingSignIn,
    enrolment: Enrolment,
    *,
    error: str | None = None,
    minutes: int = 0,
) -> Response:
    return came_from.render(
        ctx,
        "authentication/enrolment.html",
        status=422 if error else 200,
        pending=pending,
        factor_id=enrolment.id,
        enrolment=own_second_factors.view_of(ctx, enrolment, pending.username),
        error=error,
        minutes=minutes,
    )
