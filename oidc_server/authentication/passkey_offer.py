"""/login/passkey-offer: a passkey for next time, offered right after the password, and skipped.

Only where a script finds that the browser can make one: nobody else is held up.
"""

from collections.abc import Callable

from oidc_server.authentication.interrupted import Interrupted, interrupted
from oidc_server.domain import factors, passkey_offers
from oidc_server.domain.factors import Factor
from oidc_server.domain.factors.strength import PASSWORD
from oidc_server.domain.passkey_challenges import Ceremony
from oidc_server.domain.passkeys import PasskeyTakenError, TooManyPasskeysError
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.people import (
    passkey_enrolment,
    passkey_proof,
    reauthentication,
    second_factors,
)
from oidc_server.people.passkey_enrolment import Enrolment
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def interrupt(
    ctx: Context, came_from: Interrupted, user_id: str, amr: frozenset[str]
) -> Response | None:
    """To the offer, for somebody who has just come in with a password alone and has no passkey.

    Not for whoever is spared a second step in a browser that they trust: a passkey opens the
    account everywhere, and to add one they must show it (ADR 0018).
    """
    if amr != PASSWORD or ctx.form.get("can_passkey") != "yes":
        return None
    if not passkey_proof.are_possible(ctx) or Factor.PASSKEY in factors.held_by(ctx.db, user_id):
        return None
    if second_factors.are_asked_of(ctx, user_id):
        return None
    if not passkey_offers.make(ctx.db, user_id, ctx.now):
        return None
    return ctx.redirect(
        "authentication.passkey_offer",
        request_id=came_from.request_id,
        return_to=came_from.return_to,
    )


def show_offer(ctx: Context) -> Response:
    """The offer; whoever has none goes on."""
    came_from = interrupted(ctx, ctx.query.get("request_id"))
    return _page(ctx, came_from) if _offered_to(ctx) is not None else came_from.go_on(ctx)


def ask(ctx: Context) -> Response:
    """What the script asks the browser to make. The password was given just now, at the sign-in."""
    session = _offered_to(ctx)
    if session is None:
        return responses.json({"refused": "sign_in_too_old"}, status=403)
    name = session.name or session.username
    return responses.json(
        passkey_enrolment.ask(ctx, session.user_id, username=session.username, name=name)
    )


def prepare(ctx: Context) -> Callable[[], Enrolment] | Enrolment:
    """Ahead of `submit_passkey`: look at the passkey that the browser has made."""
    session = _offered_to(ctx)
    if session is None:
        return Enrolment("challenge")
    text = ctx.form.text("credential")
    return passkey_enrolment.begin(ctx, text, Ceremony.ENROL, user_id=session.user_id)


def submit_passkey(ctx: Context) -> Response:
    """Add it, and go on to where the person wanted."""
    came_from = interrupted(ctx, ctx.form.get("request_id"))
    session, made = _offered_to(ctx), ctx.proof
    if session is None:
        return came_from.go_on(ctx)
    if made.new is None:
        return _page(ctx, came_from, failed=True)

    try:
        passkey_enrolment.settle(ctx, session.user_id, made.new)
    except (PasskeyTakenError, TooManyPasskeysError):
        return _page(ctx, came_from, failed=True)
    return came_from.go_on(ctx)


def submit_no(ctx: Context) -> Response:
    """Not now, or never again."""
    came_from, session = interrupted(ctx, ctx.form.get("request_id")), ctx.user_session
    if session is not None and ctx.form.get("answer") == "never":
        passkey_offers.decline(ctx.db, session.user_id, ctx.now)
    return came_from.go_on(ctx)


def _offered_to(ctx: Context) -> LiveSession | None:
    """The session whose sign-in led to the offer a moment ago, which counts as the proof."""
    session = ctx.user_session
    if session is None or ctx.now - session.auth_time > reauthentication.FRESH_FOR:
        return None
    if second_factors.must_step_up(ctx, session):
        return None
    is_offered = passkey_offers.was_made(ctx.db, session.user_id, session.auth_time)
    return session if is_offered else None


def _page(ctx: Context, came_from: Interrupted, *, failed: bool = False) -> Response:
    return came_from.render(
        ctx, "authentication/passkey_offer.html", status=422 if failed else 200, failed=failed
    )
