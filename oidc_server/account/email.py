"""/account/profile/email: another e-mail address, which nothing has until it is confirmed."""

from collections.abc import Mapping
from typing import Any

from oidc_server.account import proof
from oidc_server.domain import identifiers, users
from oidc_server.domain.identifiers import InvalidEmailError
from oidc_server.people import console, email_addresses, reauthentication
from oidc_server.people.console import get_session
from oidc_server.people.reauthentication import Begun, Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_FORM = "account/change_email.html"
_LONGEST_SHOWN = 320
_MINUTE = 60


def show_change_email(ctx: Context) -> Response:
    return proof.page(ctx, _FORM, **_values(ctx))


def prepare_change_email(
    ctx: Context,
) -> Begun | Mapping[str, str]:
    """Ahead of `submit_change_email`: what is wrong with the address costs no guess."""
    return _problems(ctx) or proof.begin(ctx)


def submit_change_email(ctx: Context) -> Response:
    """Write to the new address; until its owner answers, the account keeps the one it has."""
    again, typed = ctx.proof, ctx.form.text("email")[:_LONGEST_SHOWN]
    if not isinstance(again, Reauthentication):
        return proof.page(ctx, _FORM, errors=again, **_values(ctx, typed))
    if not reauthentication.settle(ctx, again):
        return proof.page(ctx, _FORM, refused=again, **_values(ctx, typed))

    email_addresses.ask_to_change(ctx, get_session(ctx).user_id, typed)
    settings = ctx.runtime.settings
    return console.render(
        ctx,
        "account/email_sent.html",
        email=identifiers.normal_email(typed),
        minutes=int(settings.link_lifetime.total_seconds()) // _MINUTE,
        code_minutes=int(settings.mailed_code_lifetime.total_seconds()) // _MINUTE,
    )


def _problems(ctx: Context) -> Mapping[str, str]:
    user = users.get(ctx.db, get_session(ctx).user_id)
    try:
        address = identifiers.normal_email(ctx.form.text("email"))
    except InvalidEmailError as error:
        return {"email": error.code}
    is_same = address == user.email and user.email_verified_at is not None
    return {"email": "unchanged"} if is_same else {}


def _values(ctx: Context, typed: str = "") -> dict[str, Any]:
    user = users.get(ctx.db, get_session(ctx).user_id)
    return {"email": typed, "present": user.email}
