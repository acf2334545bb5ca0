"""What people do to their own account; what would hurt, after they proved once more who they are.

One way for pages and the API: what it does in the domain, and what is written down of it.
"""

from collections.abc import Mapping
from typing import Any

from oidc_server.domain import endings, users
from oidc_server.domain.audit import Event
from oidc_server.domain.profiles import claims_of
from oidc_server.domain.users import User
from oidc_server.people.mail_facts import mail_facts
from oidc_server.web.context import Context


def edit(ctx: Context, user: User, values: Mapping[str, Any]) -> User:
    """Change what apps are told: the claims that `values` names; what is empty is removed.

    Raises `InvalidFieldError`.
    """
    before = claims_of(user)
    edited = users.edit(ctx.db, user.id, values, ctx.now)
    after = claims_of(edited)
    if after != before:
        ctx.record(Event.USER_EDITED, user_id=user.id, before=before, after=after)
    return edited


def change_password(
    ctx: Context, user_id: str, password_hash: str, *, keep_session: str | None
) -> None:
    """Another password: every session ends but the one in which it was chosen."""
    endings.change_password(
        ctx.db, user_id, password_hash, ctx.now, keep_session=keep_session, **mail_facts(ctx)
    )
    ctx.record(Event.PASSWORD_CHANGED, user_id=user_id)


def delete(ctx: Context, user_id: str) -> None:
    """Shut the account now, and delete it when the time to come back is over.

    Raises `roles.LastAdministratorError`.
    """
    grace = ctx.runtime.settings.account_deletion_grace
    event = Event.DELETION_SCHEDULED if grace else Event.USER_DELETED
    # Before it is done: if that is at once, of this row too only the id is left.
    ctx.record(event, user_id=user_id)
    endings.schedule_deletion(ctx.db, user_id, ctx.now, grace=grace, **mail_facts(ctx))


def end_session(ctx: Context, user_id: str, session_id: str) -> bool:
    """End one of their sessions; False if it is not theirs, or has ended."""
    if not endings.end_session_of_user(ctx.db, user_id, session_id, ctx.now):
        return False
    _signed_out(ctx, user_id, session_id=session_id)
    return True


def end_other_sessions(ctx: Context, user_id: str, keep: str | None) -> None:
    """End all of their sessions but the one that is kept."""
    endings.end_sessions_of_user(ctx.db, user_id, ctx.now, keep=keep)
    _signed_out(ctx, user_id, session_id="others" if keep else "all")


def withdraw_client(ctx: Context, user_id: str, client_id: str) -> bool:
    """Take back what a client was allowed; False if it had nothing."""
    if not endings.withdraw_client(ctx.db, user_id, client_id, ctx.now):
        return False
    _withdrawn(ctx, user_id, client_id)
    return True


def withdraw_all_clients(ctx: Context, user_id: str) -> None:
    """Take back what every client was allowed."""
    for client_id in endings.withdraw_all_clients(ctx.db, user_id, ctx.now):
        _withdrawn(ctx, user_id, client_id)


def _withdrawn(ctx: Context, user_id: str, client_id: str) -> None:
    ctx.record(Event.CONSENT_WITHDRAWN, user_id=user_id, client_id=client_id)


def _signed_out(ctx: Context, user_id: str, session_id: str) -> None:
    ctx.record(Event.SIGNED_OUT, user_id=user_id, session_id=session_id)
