"""/device: type the code that a device shows (RFC 8628 §3.3)."""

from oidc_server.domain import attempts, device_codes
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.audit import Event
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_LONGEST = 40


def show_verification(ctx: Context) -> Response:
    """The page. A code in the address is filled in and not looked at: sending it is a decision."""
    return _page(ctx, ctx.query.text("user_code")[:_LONGEST])


def submit_verification(ctx: Context) -> Response:
    """Look the code up, as often as guesses are allowed, and go on to the question."""
    typed = ctx.form.text("user_code")
    session = ctx.user_session
    booked = attempts.book_user_code(
        ctx.db, session.user_id if session else ctx.counted_as, ctx.now
    )
    if isinstance(booked, Throttled):
        seconds = booked.retry_after.total_seconds()
        return _page(ctx, typed, error="throttled", retry_after=seconds, status=429)

    request_id = device_codes.adopt(ctx.db, ctx.runtime.vault, typed, ctx.browser, ctx.now)
    if request_id is None:
        ctx.record(Event.USER_CODE_REFUSED, user_id=session.user_id if session else None)
        return _page(ctx, typed, error="unknown", status=422)
    attempts.take_back(ctx.db, booked.subject)
    return ctx.redirect("device.confirmation", request_id=request_id)


def _page(
    ctx: Context,
    typed: str,
    *,
    error: str | None = None,
    retry_after: float | None = None,
    status: int = 200,
) -> Response:
    return ctx.render(
        "device/verification.html",
        status=status,
        user_code=device_codes.normalized(typed) or typed[:_LONGEST],
        error=error,
        retry_after=retry_after,
    )
