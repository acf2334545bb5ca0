"""/account/security/password: the section of the password, and the page that changes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oidc_server.domain import attempts, audit, endings, users
from oidc_server.domain.audit import Event
from oidc_server.domain.users import User
from oidc_server.oauth2.vocabulary import PASSWORD_ACR
from oidc_server.web import console, new_password, password_proof
from oidc_server.web.console import get_session
from oidc_server.web.context import Context
from oidc_server.web.lanes import Inquiry
from oidc_server.web.mail_facts import mail_facts
from oidc_server.web.new_password import NewPassword
from oidc_server.web.password_proof import PasswordProof
from oidc_server.web.responses import Response


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that was looked at: what is wrong with it, or the proof and the new hash."""

    errors: Mapping[str, str] = field(default_factory=dict)
    proof: PasswordProof | None = None
    password_hash: str | None = None
    unused: str | None = None
    """The count of a guess at the present password that was not looked at."""


def view(ctx: Context, user: User) -> Mapping[str, Any]:
    """What the section shows."""
    del ctx
    return {
        "has_password": user.password_hash is not None,
        "changed_at": user.password_changed_at,
    }


def show_change_password(ctx: Context) -> Response:
    return _page(ctx, {})


def show_where_to_change(ctx: Context) -> Response:
    """Lead a password manager to the page, at the address that is the same everywhere.

    W3C, A Well-Known URL for Changing Passwords, §2.
    """
    return ctx.redirect("account.change_password")


def prepare_change_password(ctx: Context) -> Callable[[], Draft] | Inquiry | Draft:
    """Ahead of `submit_change_password`: what is wrong with the new one, else the proof and a hash.

    A new password that cannot be taken costs nobody a guess at the present one.
    """
    session, password = get_session(ctx), ctx.form.text("password")
    user = users.get(ctx.db, session.user_id)
    current = ctx.form.text("current_password")
    guess = password_proof.begin(ctx, session.username, current) if current else None
    if isinstance(guess, PasswordProof):
        return Draft(proof=guess)
    hasher = ctx.runtime.passwords

    def draft(chosen: NewPassword) -> Draft:
        errors = {} if guess else {"current_password": "missing"}
        errors |= {"password": chosen.problem} if chosen.problem else {}
        if errors or guess is None:
            return Draft(errors, unused=guess.subject if guess else None)
        proof = guess()
        return Draft(proof=proof, password_hash=hasher.hash(password) if proof.holds else None)

    known_by = (user.username, user.email, user.name)
    return new_password.choose(ctx, password, known_by, draft, to_hash=False)


def submit_change_password(ctx: Context) -> Response:
    """Change it: other sessions end, this one goes on under another cookie."""
    draft: Draft = ctx.proof
    session = get_session(ctx)
    if draft.unused is not None:
        attempts.take_back(ctx.db, draft.unused)
    if draft.errors or draft.proof is None:
        return _page(ctx, draft.errors, status=422)

    settled = password_proof.settle(ctx.db, draft.proof, ctx.now)
    if draft.password_hash is None or not settled:
        audit.record(
            ctx.db,
            Event.SIGN_IN_FAILED,
            origin=ctx.origin,
            now=ctx.now,
            user_id=session.user_id,
            reason=draft.proof.reason,
        )
        return _refusal(ctx, draft.proof)
    endings.change_password(
        ctx.db,
        session.user_id,
        draft.password_hash,
        ctx.now,
        keep_session=session.id,
        **mail_facts(ctx),
    )
    audit.record(
        ctx.db, Event.PASSWORD_CHANGED, origin=ctx.origin, now=ctx.now, user_id=session.user_id
    )
    ctx.sign_in(session.user_id, amr=session.amr | {"pwd"}, acr=session.acr or PASSWORD_ACR)

    return ctx.redirect("account.security", notice="password_changed")


def _refusal(ctx: Context, proof: PasswordProof) -> Response:
    if proof.retry_after is None:
        return _page(ctx, {"current_password": "wrong"}, status=401)
    page = _page(ctx, {"current_password": "throttled"}, status=429)
    return page.with_header("retry-after", str(proof.retry_after))


def _page(ctx: Context, errors: Mapping[str, str], status: int = 200) -> Response:
    return console.render(
        ctx,
        "account/security/change_password.html",
        status=status,
        username=get_session(ctx).username,
        errors=errors,
        password_min=ctx.runtime.settings.password_min_length,
    )
