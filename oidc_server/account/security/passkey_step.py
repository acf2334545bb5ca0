"""/account/security/passkeys/second-step: whether the password alone is enough."""

from oidc_server.account import proof
from oidc_server.domain import factors, mails, passkeys
from oidc_server.domain.audit import Event
from oidc_server.domain.factors import Factor
from oidc_server.domain.mails import Notice
from oidc_server.people import reauthentication
from oidc_server.people.console import get_session
from oidc_server.people.mail_facts import mail_facts
from oidc_server.people.reauthentication import Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_passkey_step(ctx: Context) -> Response:
    return _page(ctx)


def submit_passkey_step(ctx: Context) -> Response:
    """Have a passkey asked for after the password, or no longer."""
    again: Reauthentication = ctx.proof
    user_id, wanted = get_session(ctx).user_id, ctx.form.get("asked") == "yes"
    if not reauthentication.settle(ctx, again):
        return _page(ctx, refused=again)

    if wanted and not passkeys.list_of_user(ctx.db, user_id):
        return ctx.redirect("account.new_passkey")
    if passkeys.set_second_step(ctx.db, user_id, wanted=wanted):
        _tell(ctx, user_id, wanted=wanted)
    return ctx.redirect(
        "account.security", notice="passkey_step_on" if wanted else "passkey_step_off"
    )


def _tell(ctx: Context, user_id: str, *, wanted: bool) -> None:
    event = Event.PASSKEY_STEP_ON if wanted else Event.PASSKEY_STEP_OFF
    ctx.record(event, user_id=user_id)
    held = factors.held_by(ctx.db, user_id)
    if not {Factor.TOTP, Factor.ASKED_PASSKEY} & held:
        mails.notify(ctx.db, user_id, Notice.FACTORS_REMOVED, ctx.now, **mail_facts(ctx))


def _page(ctx: Context, refused: Reauthentication | None = None) -> Response:
    is_asked = passkeys.is_second_step(ctx.db, get_session(ctx).user_id)
    return proof.page(ctx, "account/security/passkey_step.html", refused=refused, is_asked=is_asked)
