"""/login: username or verified address, and password, the first step of a sign-in."""

from collections.abc import Callable, Mapping

from oidc_server.authentication import arrival
from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.authentication.providers import offered
from oidc_server.authentication.providers.offered import Trouble
from oidc_server.domain.audit import Event
from oidc_server.domain.factors.strength import PASSWORD
from oidc_server.people import passkey_proof, password_proof
from oidc_server.people.password_proof import PasswordProof
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_login(ctx: Context) -> Response:
    """The page. Whoever came on their own and is signed in already goes to their account."""
    came_from = interrupted(ctx, ctx.query.get("request_id"))
    reason = ctx.query.get("reason")
    if ctx.user_session is not None and came_from.request_id is None and reason != "login_again":
        return came_from.go_on(ctx)
    hint = came_from.request.login_hint if came_from.request else None

    notice = reason if reason in ("login_again", "other_account") else None
    session = None if reason == "other_account" else ctx.user_session
    known = session.username if session is not None else ""
    username = "" if reason == "use_another" else hint or known
    return page(ctx, came_from, username=username, notice=notice)


def prove(ctx: Context) -> Callable[[], PasswordProof] | PasswordProof:
    """Ahead of `submit_login`: if the request still waits, count the guess, then compute."""
    interrupted(ctx, ctx.form.get("request_id"))
    username, password = ctx.form.text("username"), ctx.form.text("password")
    return password_proof.begin(ctx, username, password, may_return=True)


def submit_login(ctx: Context) -> Response:
    """Sign in, or show the same page with the same words for every reason."""
    came_from = interrupted(ctx, ctx.form.get("request_id"))
    proof: PasswordProof = ctx.proof

    holds = proof.holds and password_proof.settle(ctx.db, proof, ctx.now)

    if not holds or proof.user_id is None:
        came_from.record(ctx, Event.SIGN_IN_FAILED, proof.user_id, reason=proof.reason)
        return _refusal(ctx, came_from, proof)
    return arrival.arrive(ctx, came_from, proof.user_id, PASSWORD)


def _refusal(ctx: Context, came_from: Interrupted, proof: PasswordProof) -> Response:
    username = ctx.form.text("username")[:200]
    if proof.retry_after is None:
        return page(ctx, came_from, username=username, error="credentials", status=401)
    return page(
        ctx,
        came_from,
        username=username,
        error="throttled",
        retry_after=proof.retry_after,
        status=429,
    )


def page(
    ctx: Context,
    came_from: Interrupted,
    *,
    username: str,
    error: str | Trouble | None = None,
    retry_after: float | None = None,
    notice: str | None = None,
    status: int = 200,
    unknown_passkey: Mapping[str, str] | None = None,
) -> Response:
    """The login page, for whichever way to sign in has something to say."""
    trouble = error if isinstance(error, Trouble) else None
    return came_from.render(
        ctx,
        "authentication/login.html",
        status=status,
        username=username,
        error=None if trouble else error,
        retry_after=retry_after,
        notice=notice,
        passkeys=passkey_proof.are_possible(ctx),
        unknown_passkey=unknown_passkey,
        providers=offered.offers(ctx),
        trouble=trouble,
        sign_up_open=ctx.runtime.settings.sign_up == "open",
    )
