"""What follows when somebody has proven something: a session, or the next step of their sign-in.

Every way to sign in ends here, so that none of them can forget the second step.
"""

from oidc_server.authentication import mailed_code
from oidc_server.authentication.interrupted import Interrupted
from oidc_server.authentication.next_factor import Ask, Done, Missing, next_factor
from oidc_server.domain import audit, factors, pending_sign_ins
from oidc_server.domain.audit import Event
from oidc_server.domain.factors import Factor
from oidc_server.domain.factors.strength import acr_of
from oidc_server.domain.pending_sign_ins import PendingSignIn
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def arrive(ctx: Context, came_from: Interrupted, user_id: str, amr: frozenset[str]) -> Response:
    """Somebody has proven `amr`, with nothing before it: sign them in, or ask for more."""
    missing = next_factor(factors.held_by(ctx.db, user_id), amr)
    if isinstance(missing, Done):
        return sign_in(ctx, came_from, user_id, amr)

    pending_id = pending_sign_ins.begin(
        ctx.db, user_id, ctx.browser, amr, ctx.now, request_id=came_from.request_id
    )
    _record(ctx, Event.FIRST_STEP_TAKEN, came_from, user_id, amr)
    return _to_step(ctx, came_from, pending_id, missing)


def go_further(
    ctx: Context, came_from: Interrupted, pending: PendingSignIn, amr: frozenset[str]
) -> Response | None:
    """The next step was taken too; None if what it belonged to is over."""
    missing = next_factor(factors.held_by(ctx.db, pending.user_id), amr)
    if not isinstance(missing, Done):
        if not pending_sign_ins.prove(ctx.db, pending, ctx.browser, amr, ctx.now):
            return None
        return _to_step(ctx, came_from, pending.id, missing)
    if not pending_sign_ins.finish(ctx.db, pending, ctx.browser, ctx.now):
        return None
    return sign_in(ctx, came_from, pending.user_id, amr)


def sign_in(ctx: Context, came_from: Interrupted, user_id: str, amr: frozenset[str]) -> Response:
    """Start the session, and go back to what was interrupted."""
    _record(ctx, Event.SIGNED_IN, came_from, user_id, amr)
    ctx.sign_in(user_id, amr=amr, acr=acr_of(amr))
    return came_from.go_on(ctx)


def _to_step(ctx: Context, came_from: Interrupted, pending_id: str, missing: Missing) -> Response:
    if isinstance(missing, Ask) and missing.factors == (Factor.EMAIL_CODE,):
        pending = pending_sign_ins.find(ctx.db, pending_id, ctx.browser, ctx.now)
        if pending is not None:
            mailed_code.send(ctx, pending)
    return ctx.redirect(
        "authentication.second_step", pending_id=pending_id, return_to=came_from.return_to
    )


def _record(
    ctx: Context, event: Event, came_from: Interrupted, user_id: str, amr: frozenset[str]
) -> None:
    audit.record(
        ctx.db,
        event,
        origin=ctx.origin,
        now=ctx.now,
        user_id=user_id,
        client_id=came_from.client.client_id if came_from.client else None,
        amr=sorted(amr),
    )
