"""Proving it once more on a form of the console (`web/reauthentication.py`), and what is said."""

from collections.abc import Callable, Mapping
from typing import Any

from oidc_server.domain import users
from oidc_server.web import console, reauthentication
from oidc_server.web.console import get_session
from oidc_server.web.context import Context
from oidc_server.web.reauthentication import Reauthentication
from oidc_server.web.responses import Response

_STATUS = {"password_missing": 422, "password_wrong": 401, "throttled": 429, "sign_in_too_old": 403}
_ERRORS = {"password_missing": "missing", "password_wrong": "wrong", "throttled": "throttled"}


def begin(ctx: Context) -> Callable[[], Reauthentication] | Reauthentication:
    """Ahead of the handler: count the guess at `current_password`, and return what computes."""
    session, typed = get_session(ctx), ctx.form.get("current_password")
    return reauthentication.begin(ctx, session.user_id, typed, session.auth_time)


def form_page(
    ctx: Context,
    template: str,
    *,
    errors: Mapping[str, str],
    proof: Reauthentication | None = None,
    status: int = 422,
    **values: Any,
) -> Response:
    """The form again, with what is wrong with it; `proof` is one that was refused."""
    refusal = proof.refusal if proof is not None else None
    said = {}
    if proof is not None:
        # Without a refusal, the password was changed while this one was being hashed.
        reason = refusal or "password_wrong"
        status = _STATUS[reason]
        said = {"current_password": _ERRORS[reason]} if reason in _ERRORS else {}
    page = show_page(
        ctx,
        template,
        status=status,
        errors={**said, **errors},
        sign_in_too_old=refusal == "sign_in_too_old",
        **values,
    )
    if proof is not None and proof.retry_after is not None:
        return page.with_header("retry-after", str(proof.retry_after))
    return page


def show_page(ctx: Context, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page with such a form (`templates/account/proof.html`)."""
    session = get_session(ctx)
    has_password = users.find_for_proof(ctx.db, session.user_id).password_hash is not None
    too_old = ctx.now > session.auth_time + reauthentication.FRESH_FOR
    shown = {
        "errors": {},
        "sign_in_too_old": too_old and not has_password,
        "has_password": has_password,
        "return_to": ctx.incoming.path,
        **values,
    }
    return console.render(ctx, template, status=status, **shown)
