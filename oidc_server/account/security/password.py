"""/account/security/password: the section of the password, and the page that changes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oidc_server.account import proof
from oidc_server.domain import users
from oidc_server.domain.users import User
from oidc_server.people import browser_session, new_password, own_account, reauthentication
from oidc_server.people.console import get_session
from oidc_server.people.new_password import NewPassword
from oidc_server.people.reauthentication import Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Inquiry
from oidc_server.web.responses import Response

_FORM = "account/security/change_password.html"


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that was looked at: the proof, and what is wrong with the new password or its hash."""

    again: Reauthentication
    problem: str | None = None
    password_hash: str | None = None


def view(ctx: Context, user: User) -> Mapping[str, Any]:
    """What the section shows."""
    del ctx
    return {
        "has_password": user.password_hash is not None,
        "changed_at": user.password_changed_at,
    }


def show_change_password(ctx: Context) -> Response:
    return proof.page(ctx, _FORM, **_values(ctx))


def show_where_to_change(ctx: Context) -> Response:
    """Lead a password manager to the page, at the address that is the same everywhere.

    W3C, A Well-Known URL for Changing Passwords, §2.
    """
    return ctx.redirect("account.change_password")


def prepare_change_password(ctx: Context) -> Callable[[], Draft] | Inquiry | Draft:
    """Ahead of `submit_change_password`: judge both passwords, so that all is said at once."""
    user = users.get(ctx.db, get_session(ctx).user_id)
    password = ctx.form.text("password")
    begun, hasher = proof.begin(ctx), ctx.runtime.passwords

    def draft(chosen: NewPassword) -> Draft:
        again = begun if isinstance(begun, Reauthentication) else begun()
        if chosen.problem is not None or not again.holds:
            return Draft(again, chosen.problem)
        return Draft(again, password_hash=hasher.hash(password))

    if not password:
        return lambda: draft(NewPassword("missing"))
    known_by = (user.username, user.email, user.name)
    return new_password.choose(ctx, password, known_by, draft, to_hash=False)


def submit_change_password(ctx: Context) -> Response:
    """Change it: other sessions end, this one goes on under another cookie."""
    draft: Draft = ctx.proof
    session = get_session(ctx)
    is_proven = reauthentication.settle(ctx, draft.again)
    if not is_proven or draft.password_hash is None:
        errors = {"password": draft.problem} if draft.problem else {}
        refused = None if is_proven else draft.again
        return proof.page(ctx, _FORM, errors=errors, refused=refused, **_values(ctx))

    own_account.change_password(ctx, session.user_id, draft.password_hash, keep_session=session.id)
    browser_session.change_cookie(ctx, session)
    return ctx.redirect("account.security", notice="password_changed")


def _values(ctx: Context) -> dict[str, Any]:
    return {"password_min": ctx.runtime.settings.password_min_length}
