"""The section of the second step on /account/security, and the pages that add and remove factors.

All of them ask for a proof; whoever is asked for a factor at each sign-in has shown it within
minutes (`sensitive` in the table of addresses).
"""

from collections.abc import Mapping
from typing import Any

from oidc_server.account import proof
from oidc_server.domain import factors, trusted_devices, users
from oidc_server.domain.audit import Event
from oidc_server.domain.factors import Factor, HeldFactor, recovery_codes, totp
from oidc_server.domain.factors.strength import METHODS, with_methods
from oidc_server.domain.factors.totp import Enrolment
from oidc_server.domain.users import User
from oidc_server.languages import translate
from oidc_server.people import (
    browser_session,
    console,
    own_second_factors,
    reauthentication,
    second_factors,
)
from oidc_server.people.console import get_session
from oidc_server.people.mail_facts import browser_name
from oidc_server.people.reauthentication import Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response


def view(ctx: Context, user: User) -> Mapping[str, Any]:
    """What the section shows."""
    held = factors.list_factors(ctx.db, user.id)
    devices = trusted_devices.list_devices(ctx.db, user.id, ctx.now)
    return {
        "apps": [factor for factor in held if factor.kind == Factor.TOTP],
        "mailed": next((factor for factor in held if factor.kind == Factor.EMAIL_CODE), None),
        "can_mail": user.email is not None and user.email_verified_at is not None,
        "email": user.email,
        "is_strong": second_factors.has_strong(ctx, user.id),
        "codes_left": recovery_codes.left(ctx.db, user.id),
        "devices": [
            (device, translate(ctx.language, browser_name(device.user_agent))) for device in devices
        ],
    }


def show_new_authenticator(ctx: Context) -> Response:
    return _page(ctx, "account/security/new_authenticator.html")


def submit_new_authenticator(ctx: Context) -> Response:
    """Make a secret for a new app, and show it on a page of its own."""
    if not reauthentication.settle(ctx, ctx.proof):
        return _page(ctx, "account/security/new_authenticator.html", refused=ctx.proof)

    factor_id = totp.begin(ctx.db, ctx.runtime.vault, get_session(ctx).user_id, ctx.now)
    return ctx.redirect("account.authenticator", factor_id=factor_id)


def show_authenticator(ctx: Context) -> Response:
    enrolment = _enrolment(ctx)
    if enrolment is None:
        return ctx.redirect("account.security")
    return _authenticator_page(ctx, enrolment)


def submit_authenticator(ctx: Context) -> Response:
    """Let the app count once it has shown its code; with the first come recovery codes."""
    session, enrolment = get_session(ctx), _enrolment(ctx)
    if enrolment is None:
        return ctx.redirect("account.security")
    code = totp.normalized(ctx.form.text("code"))
    if code is None:
        return _authenticator_page(ctx, enrolment, error="malformed")

    codes = own_second_factors.confirm_authenticator(
        ctx, session.user_id, enrolment, ctx.form.text("name"), code
    )
    if codes is None:
        minutes = totp.minutes_off(enrolment, code, ctx.now)
        error = "wrong" if minutes is None else "clock"
        return _authenticator_page(ctx, enrolment, error=error, minutes=minutes or 0)
    # Whoever is here has given their password, and shown the app just now.
    amr = with_methods(session.amr, METHODS[Factor.TOTP])
    browser_session.sign_in(ctx, session.user_id, amr, stepping_up=True)
    if codes:
        return _codes_page(ctx, codes)
    return ctx.redirect("account.security", notice="authenticator_added")


def show_recovery_codes(ctx: Context) -> Response:
    return _page(ctx, "account/security/new_recovery_codes.html")


def submit_recovery_codes(ctx: Context) -> Response:
    """Make a new set, and show it once."""
    user_id = get_session(ctx).user_id
    if not reauthentication.settle(ctx, ctx.proof):
        return _page(ctx, "account/security/new_recovery_codes.html", refused=ctx.proof)
    factors.hold(ctx.db, user_id)  # what they are to stand in for
    if not second_factors.has_strong(ctx, user_id):
        return ctx.redirect("account.security")

    return _codes_page(ctx, own_second_factors.make_recovery_codes(ctx, user_id))


def submit_saved(ctx: Context) -> Response:
    """The person has kept their codes."""
    return ctx.redirect("account.security", notice="codes_saved")


def show_mailed_codes(ctx: Context) -> Response:
    return _page(ctx, "account/security/mailed_codes.html")


def submit_mailed_codes(ctx: Context) -> Response:
    """Have a code mailed at every sign-in from now on."""
    user = users.get(ctx.db, get_session(ctx).user_id)
    if user.email is None or user.email_verified_at is None:
        return ctx.redirect("account.security")
    if not reauthentication.settle(ctx, ctx.proof):
        return _page(ctx, "account/security/mailed_codes.html", refused=ctx.proof)

    own_second_factors.add_mailed_codes(ctx, user.id)
    return ctx.redirect("account.security", notice="mailed_codes_on")


def show_factor(ctx: Context) -> Response:
    return _page(ctx, "account/security/factor.html", factor=_factor(ctx))


def submit_factor_removal(ctx: Context) -> Response:
    """Remove a factor: the password alone signs in again if it was the last one."""
    factor = _factor(ctx)
    if not reauthentication.settle(ctx, ctx.proof):
        return _page(ctx, "account/security/factor.html", refused=ctx.proof, factor=factor)

    own_second_factors.remove(ctx, get_session(ctx).user_id, factor.id)
    return ctx.redirect("account.security", notice="factor_removed")


def withdraw_trust(ctx: Context) -> Response:
    """The button beside a trusted device."""
    user_id, device_id = get_session(ctx).user_id, ctx.incoming.path_params["device_id"]
    if not trusted_devices.withdraw(ctx.db, user_id, device_id):
        raise NotFoundError
    ctx.record(Event.TRUST_WITHDRAWN, user_id=user_id)

    return ctx.redirect("account.security", notice="trust_withdrawn")


def _enrolment(ctx: Context) -> Enrolment | None:
    factor_id = ctx.incoming.path_params["factor_id"]
    return totp.find_enrolment(
        ctx.db, ctx.runtime.vault, get_session(ctx).user_id, factor_id, ctx.now
    )


def _factor(ctx: Context) -> HeldFactor:
    """The factor of the address; raises `NotFoundError` for those of others too."""
    mine = factors.list_factors(ctx.db, get_session(ctx).user_id)
    wanted = ctx.incoming.path_params["factor_id"]
    found = next((factor for factor in mine if factor.id == wanted), None)
    if found is None:
        raise NotFoundError
    return found


def _page(
    ctx: Context, template: str, *, refused: Reauthentication | None = None, **values: Any
) -> Response:
    """One of the pages that ask for a proof."""
    user_id = get_session(ctx).user_id
    return proof.page(
        ctx,
        template,
        refused=refused,
        is_required=second_factors.are_required_of(ctx, user_id),
        email=users.get(ctx.db, user_id).email,
        **values,
    )


def _authenticator_page(
    ctx: Context, enrolment: Enrolment, *, error: str | None = None, minutes: int = 0
) -> Response:
    return console.render(
        ctx,
        "account/security/authenticator.html",
        status=422 if error else 200,
        factor_id=enrolment.id,
        enrolment=own_second_factors.view_of(ctx, enrolment, get_session(ctx).username),
        name=ctx.form.text("name") if error else "",
        error=error,
        minutes=minutes,
    )


def _codes_page(ctx: Context, codes: list[str]) -> Response:
    return console.render(ctx, "account/security/recovery_codes.html", codes=codes)
