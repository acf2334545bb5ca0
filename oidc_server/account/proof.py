"""Proving it once more on a form of the console (`people/reauthentication.py`), and our words."""

from collections.abc import Mapping
from typing import Any

from oidc_server.domain import credentials
from oidc_server.people import console, reauthentication
from oidc_server.people.console import get_session
from oidc_server.people.reauthentication import Begun, Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_STATUS = {"password_missing": 422, "password_wrong": 401, "throttled": 429, "sign_in_too_old": 403}
_ERRORS = {"password_missing": "missing", "password_wrong": "wrong", "throttled": "throttled"}


def begin(ctx: Context) -> Begun:
    """Ahead of the handler: count the guess at `current_password`, and return what computes."""
    session, typed = get_session(ctx), ctx.form.get("current_password")
    return reauthentication.begin(ctx, session.user_id, typed, session.auth_time)


def page(
    ctx: Context,
    template: str,
    *,
    refused: Reauthentication | None = None,
    errors: Mapping[str, str] | None = None,
    status: int | None = None,
    **values: Any,
) -> Response:
    """A page with such a form (`templates/account/proof.html`), and what is wrong with it.

    `refused` is a proof that did not hold; it settles the status. Without one that is 422 for a
    form with errors, unless the page knows better.
    """
    shown = dict(errors or {})
    code = status or (422 if shown else 200)
    if refused is not None:
        # Without a refusal, the password was changed while this one was being hashed.
        reason = refused.refusal or "password_wrong"
        code = _STATUS[reason]
        said = {"current_password": _ERRORS[reason]} if reason in _ERRORS else {}
        shown = {**said, **shown}
        values["retry_after"] = refused.retry_after
    values = {"return_to": ctx.page, **_needed(ctx), **values}
    return console.render(ctx, template, status=code, errors=shown, **values)


def _needed(ctx: Context) -> Mapping[str, Any]:
    """What the form has to ask for: the password, or another sign-in of somebody without one."""
    session = get_session(ctx)
    has_password = credentials.get(ctx.db, session.user_id).password_hash is not None
    is_old = ctx.now > session.auth_time + reauthentication.FRESH_FOR
    return {"has_password": has_password, "sign_in_too_old": is_old and not has_password}
