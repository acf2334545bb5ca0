"""Proving once more who one is, as the forms of this page ask for it."""

from collections.abc import Callable, Mapping
from typing import Any

from oidc_server.domain import users
from oidc_server.web import reauthentication
from oidc_server.web.console import get_session
from oidc_server.web.context import Context
from oidc_server.web.reauthentication import Reauthentication
from oidc_server.web.responses import Response

_ERRORS = {"password_missing": "missing", "password_wrong": "wrong", "throttled": "throttled"}


def prove(ctx: Context) -> Callable[[], Reauthentication] | Reauthentication:
    """Ahead of what changes how a person signs in: the password of the form, or a new sign-in."""
    session = get_session(ctx)
    password = ctx.form.get("current_password")
    return reauthentication.begin(ctx, session.user_id, password, session.auth_time)


def needed(ctx: Context) -> Mapping[str, Any]:
    """What `account/security/proof.html` has to ask for."""
    session = get_session(ctx)
    has_password = users.get(ctx.db, session.user_id).password_hash is not None
    is_fresh = ctx.now - session.auth_time <= reauthentication.FRESH_FOR
    return {
        "has_password": has_password,
        "must_sign_in": not has_password and not is_fresh,
        "here": ctx.incoming.path,
    }


def refusal(
    proof: Reauthentication, page: Callable[[Mapping[str, str], int], Response]
) -> Response:
    """`page(errors, status)` for a proof that did not hold."""
    code = _ERRORS.get(proof.refusal or "")
    shown = page(
        {} if code is None else {"current_password": code}, 429 if code == "throttled" else 403
    )
    if proof.retry_after is not None:
        shown.with_header("retry-after", str(proof.retry_after))
    return shown
