"""What follows when somebody has proven something: a session, or the next step of their sign-in.

Every way to sign in ends here, so that none of them can forget the second step.
"""

from datetime import datetime

from oidc_server.authentication import mailed_code, passkey_offer
from oidc_server.authentication.interrupted import Interrupted
from oidc_server.authentication.next_factor import Ask, Done, Enrol, Missing, next_factor
from oidc_server.domain import (
    factors,
    mails,
    pending_sign_ins,
    trusted_devices,
)
from oidc_server.domain.audit import Event
from oidc_server.domain.factors import Factor, totp
from oidc_server.domain.factors.strength import (
    PASSWORD,
    PASSWORD_ACR,
    TWO_FACTOR_ACR,
    included,
    reachable_acr,
)
from oidc_server.domain.mails import Notice
from oidc_server.domain.pending_sign_ins import PendingSignIn
from oidc_server.people import browser_session, second_factors
from oidc_server.people.mail_facts import mail_facts
from oidc_server.web import cookies
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def arrive(
    ctx: Context,
    came_from: Interrupted,
    user_id: str,
    amr: frozenset[str],
    *,
    auth_time: datetime | None = None,
) -> Response:
    """Somebody has proven `amr`, with nothing before it: sign them in, or ask for more.

    `auth_time` is when that was, if it was elsewhere.
    """
    missing = still_missing(ctx, came_from, user_id, amr, may_be_trusted=True)
    if isinstance(missing, Done):
        return _sign_in(ctx, came_from, user_id, amr, auth_time)

    pending_id = pending_sign_ins.begin(
        ctx.db, user_id, ctx.browser, amr, ctx.now, request_id=came_from.request_id
    )
    came_from.record(ctx, Event.FIRST_STEP_TAKEN, user_id, amr=sorted(amr))
    return _to_step(ctx, came_from, pending_id, user_id, missing)


def go_further(
    ctx: Context, came_from: Interrupted, pending: PendingSignIn, amr: frozenset[str]
) -> Response | None:
    """The next step was taken too; None if what it belonged to is over."""
    missing = missing_from(ctx, came_from, pending, amr)
    if not isinstance(missing, Done):
        if not pending_sign_ins.prove(ctx.db, pending, ctx.browser, amr, ctx.now):
            return None
        return _to_step(ctx, came_from, pending.id, pending.user_id, missing)
    if not pending_sign_ins.finish(ctx.db, pending, ctx.browser, ctx.now):
        return None
    proven = _with_session(ctx, pending, amr)
    stepping_up = pending.session_id is not None
    return _sign_in(ctx, came_from, pending.user_id, proven, stepping_up=stepping_up)


def still_missing(
    ctx: Context,
    came_from: Interrupted,
    user_id: str,
    amr: frozenset[str],
    *,
    may_be_trusted: bool = False,
    stepping_up: bool = False,
) -> Missing:
    """What this person must do before they are signed in.

    Whether they trust this browser is looked at once, right after the first step. `stepping_up` is
    for a live session that is to become stronger, whatever an app asks for.
    """
    held = factors.held_by(ctx.db, user_id)
    request = came_from.request
    wish = request.wished_acr(included(reachable_acr(held))) if request else None
    return next_factor(
        held,
        amr,
        acr=TWO_FACTOR_ACR if stepping_up and wish in (None, PASSWORD_ACR) else wish,
        trusted=may_be_trusted and bool(held) and _is_trusted(ctx, user_id),
        required=second_factors.are_required_of(ctx, user_id),
    )


def missing_from(
    ctx: Context, came_from: Interrupted, pending: PendingSignIn, amr: frozenset[str]
) -> Missing:
    """The same, for a sign-in that waits and for which `amr` has been proven now."""
    stepping_up = pending.session_id is not None
    return still_missing(ctx, came_from, pending.user_id, amr, stepping_up=stepping_up)


def _is_trusted(ctx: Context, user_id: str) -> bool:
    """Whether this browser is trusted and so needs no second step; records that it was used."""
    mark = ctx.runtime.cookies.read(ctx.incoming, cookies.TRUSTED)
    if mark is None or not second_factors.is_spared(ctx, user_id):
        return False
    return trusted_devices.use(ctx.db, user_id, mark, ctx.now)


def _with_session(ctx: Context, pending: PendingSignIn, amr: frozenset[str]) -> frozenset[str]:
    """What was proven now and, for a session that steps up, when it was started."""
    session = ctx.user_session
    if pending.session_id is None or session is None:
        return amr
    return session.amr | (amr - PASSWORD)


def _sign_in(
    ctx: Context,
    came_from: Interrupted,
    user_id: str,
    amr: frozenset[str],
    auth_time: datetime | None = None,
    *,
    stepping_up: bool = False,
) -> Response:
    """Start the session, tell the owner of a new browser, and go back to what was interrupted."""
    came_from.record(ctx, Event.SIGNED_IN, user_id, amr=sorted(amr))
    is_new_browser = browser_session.sign_in(
        ctx, user_id, amr, stepping_up=stepping_up, auth_time=auth_time
    )
    if is_new_browser:
        mails.notify(ctx.db, user_id, Notice.NEW_DEVICE, ctx.now, **mail_facts(ctx))
    return passkey_offer.interrupt(ctx, came_from, user_id, amr) or came_from.go_on(ctx)


def _to_step(
    ctx: Context, came_from: Interrupted, pending_id: str, user_id: str, missing: Missing
) -> Response:
    here = {"pending_id": pending_id, "return_to": came_from.return_to}
    if isinstance(missing, Enrol):
        factor_id = totp.begin(ctx.db, ctx.runtime.vault, user_id, ctx.now)
        return ctx.redirect("authentication.enrol", factor_id=factor_id, **here)
    if isinstance(missing, Ask) and missing.factors == (Factor.EMAIL_CODE,):
        pending = pending_sign_ins.find(ctx.db, pending_id, ctx.browser, ctx.now)
        if pending is not None:
            mailed_code.send(ctx, pending)
    return ctx.redirect("authentication.second_step", **here)
