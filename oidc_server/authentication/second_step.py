"""/login/second-step/{pending_id}: the code of an app, a recovery code, or one that was mailed.

A passkey has the page in common with them; what its script sends goes to `passkey_step.py`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from oidc_server.authentication import arrival, mailed_code
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.authentication.next_factor import Ask
from oidc_server.domain import attempts, mails, pending_sign_ins, trusted_devices
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.audit import Event
from oidc_server.domain.authorization_requests import RequestGoneError
from oidc_server.domain.factors import Factor, recovery_codes, totp
from oidc_server.domain.factors.strength import METHODS, with_methods
from oidc_server.domain.mails import Notice
from oidc_server.domain.pending_sign_ins import PendingSignIn
from oidc_server.people import second_factors
from oidc_server.people.mail_facts import mail_facts
from oidc_server.web import cookies
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_TEMPLATES = {
    Factor.PASSKEY: "authentication/passkey_step.html",
    Factor.TOTP: "authentication/second_step.html",
    Factor.RECOVERY_CODE: "authentication/recovery_code.html",
    Factor.EMAIL_CODE: "authentication/mailed_code.html",
}
_FIELDS = {
    Factor.TOTP: "code",
    Factor.RECOVERY_CODE: "recovery_code",
    Factor.EMAIL_CODE: "code",
}
_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Step:
    """A sign-in that waits, what it is for, and the factor that is asked for now."""

    pending: PendingSignIn
    came_from: Interrupted
    factor: Factor
    others: tuple[Factor, ...]

    def record_failure(self, ctx: Context, **detail: Any) -> None:
        """Write down that the factor was not proven."""
        factor, user_id = self.factor.value, self.pending.user_id
        self.came_from.record(ctx, Event.SECOND_STEP_FAILED, user_id, factor=factor, **detail)


def show_second_step(ctx: Context) -> Response:
    step = step_of(ctx, ctx.query.get("factor"))
    return page(ctx, step)


def submit_second_step(ctx: Context) -> Response:
    """Count the code as wrong, look at it, and go on; too many end the sign-in."""
    step = step_of(ctx, ctx.form.get("factor"), take=True)
    if step.factor not in _FIELDS:
        return page(ctx, step)
    code = ctx.form.text(_FIELDS[step.factor])
    shaped = _shaped(step.factor, code)
    if shaped is None:
        return page(ctx, step, typed=code, error="malformed", status=422)
    booked = attempts.book_factor(ctx.db, step.pending.user_id, ctx.now, browser=ctx.browser)
    if isinstance(booked, Throttled):
        pending_sign_ins.finish(ctx.db, step.pending, ctx.browser, ctx.now)
        seconds = booked.retry_after.total_seconds()
        return page(ctx, step, error="throttled", retry_after=seconds, status=429)

    if not _redeem(ctx, step, shaped):
        return _refusal(ctx, step)
    attempts.clear(ctx.db, booked.subject, ctx.now)
    if ctx.form.get("trust") and _offers_trust(ctx, step):
        _trust(ctx, step.pending.user_id)
    amr = with_methods(step.pending.amr, METHODS[step.factor])
    response = arrival.go_further(ctx, step.came_from, step.pending, amr)
    if response is None:
        raise RequestGoneError
    return response


def send_code(ctx: Context) -> Response:
    """The button that has a code mailed."""
    step = step_of(ctx, Factor.EMAIL_CODE, take=True)
    if step.factor != Factor.EMAIL_CODE:
        raise RequestGoneError

    sent = mailed_code.send(ctx, step.pending)

    return ctx.redirect(
        "authentication.second_step",
        pending_id=step.pending.id,
        return_to=step.came_from.return_to,
        sent=None if sent else "not_now",
    )


def step_of(ctx: Context, wished: str | None, *, take: bool = False) -> Step:
    """What this page is about; raises `RequestGoneError` when it is over or not of this browser.

    With `take`, nobody else takes the step before this is over.
    """
    find = pending_sign_ins.hold if take else pending_sign_ins.find
    pending = find(ctx.db, ctx.incoming.path_params["pending_id"], ctx.browser, ctx.now)
    if pending is None:
        raise RequestGoneError
    came_from = interrupted(ctx, pending.request_id)
    session = ctx.user_session
    if pending.session_id is not None and (session is None or session.id != pending.session_id):
        raise RequestGoneError  # the session that was to become stronger has ended
    missing = arrival.missing_from(ctx, came_from, pending, pending.amr)
    if not isinstance(missing, Ask):
        raise RequestGoneError  # what was to be asked for was removed meanwhile
    factor = next((factor for factor in missing.factors if factor == wished), missing.factors[0])
    return Step(pending, came_from, factor, tuple(one for one in missing.factors if one != factor))


def _shaped(factor: Factor, code: str) -> str | None:
    """The code as it is compared, or None if it cannot be one: that is no guess."""
    if factor != Factor.RECOVERY_CODE:
        return totp.normalized(code)
    normalized = recovery_codes.normalized(code)
    return normalized if len(normalized) == recovery_codes.LENGTH else None


def _offers_trust(ctx: Context, step: Step) -> bool:
    """Not with a recovery code, and not while a live session steps up."""
    if step.factor == Factor.RECOVERY_CODE or step.pending.session_id is not None:
        return False
    return second_factors.may_trust(ctx, step.pending.user_id)


def _trust(ctx: Context, user_id: str) -> None:
    mark = trusted_devices.trust(
        ctx.db,
        user_id,
        ctx.runtime.cookies.read(ctx.incoming, cookies.TRUSTED),
        origin=ctx.origin,
        now=ctx.now,
        lifetime=ctx.runtime.settings.trusted_device_lifetime,
    )
    ctx.keep_trusted_mark(mark)
    ctx.record(Event.DEVICE_TRUSTED, user_id=user_id)
    mails.notify(ctx.db, user_id, Notice.DEVICE_TRUSTED, ctx.now, **mail_facts(ctx))


def _redeem(ctx: Context, step: Step, code: str) -> bool:
    """Whether the code is right; it is used up then."""
    db, vault, user_id = ctx.db, ctx.runtime.vault, step.pending.user_id
    if step.factor == Factor.TOTP:
        return totp.redeem(db, vault, user_id, code, ctx.now)
    if step.factor == Factor.EMAIL_CODE:
        return mailed_code.is_right(ctx, step.pending, code)
    if not recovery_codes.redeem(db, vault, user_id, code, ctx.now):
        return False
    _tell_of_recovery_code(ctx, user_id)
    return True


def _tell_of_recovery_code(ctx: Context, user_id: str) -> None:
    left = recovery_codes.left(ctx.db, user_id)
    ctx.record(Event.RECOVERY_CODE_USED, user_id=user_id, left=left)
    mails.notify(ctx.db, user_id, Notice.RECOVERY_CODE_USED, ctx.now, **mail_facts(ctx))


def _refusal(ctx: Context, step: Step) -> Response:
    step.record_failure(ctx)
    goes_on = pending_sign_ins.fail(ctx.db, step.pending, ctx.browser, ctx.now)
    return page(ctx, step, error="wrong" if goes_on else "over", status=401)


def page(
    ctx: Context,
    step: Step,
    *,
    typed: str = "",
    error: str | None = None,
    retry_after: float | None = None,
    status: int = 200,
) -> Response:
    pending = step.pending
    counted = step.factor == Factor.RECOVERY_CODE
    return step.came_from.render(
        ctx,
        _TEMPLATES[step.factor],
        status=status,
        pending=pending,
        others=step.others,
        trust_days=_trust_days(ctx) if _offers_trust(ctx, step) else 0,
        typed=typed[:_LONGEST_SHOWN],
        error=error,
        retry_after=retry_after,
        left=recovery_codes.left(ctx.db, pending.user_id) if counted else 0,
        sent=pending.mailed_code_id is not None,
        not_now=ctx.query.get("sent") == "not_now",
    )


def _trust_days(ctx: Context) -> int:
    return max(1, ctx.runtime.settings.trusted_device_lifetime // timedelta(days=1))
