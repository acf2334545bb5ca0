"""Accounts elsewhere that open one here: linking and unlinking them, the one way.

Whoever links has proven both: the account here by a session, the one there by signing in to it.
"""

from collections.abc import Mapping
from typing import Any

from oidc_server.domain import identities, mails, ways_in
from oidc_server.domain.audit import Event
from oidc_server.domain.identities import Identity
from oidc_server.domain.identity_providers import IdentityProvider
from oidc_server.domain.mails import Notice
from oidc_server.people import browser_session
from oidc_server.people.mail_facts import mail_facts
from oidc_server.web.context import Context


def link(
    ctx: Context,
    user_id: str,
    provider: IdentityProvider,
    told: Mapping[str, Any],
    *,
    is_new: bool = False,
) -> None:
    """Let what the provider told of open the account; raises `identities.IdentityTakenError`.

    Nobody is told of it by mail whose account was made by it just now (`is_new`).
    """
    browser_session.hold(ctx)
    account = account_of(told)
    if not identities.link(ctx.db, user_id, provider, told["sub"], account, ctx.now):
        return
    ctx.record(Event.IDENTITY_LINKED, user_id=user_id, provider=provider.name)
    if not is_new:
        facts = mail_facts(ctx) | {"detail": provider.label}
        mails.notify(ctx.db, user_id, Notice.IDENTITY_LINKED, ctx.now, **facts)


def unlink(ctx: Context, user_id: str, identity: Identity, *, keep_session: str) -> None:
    """Let it open the account no more; raises `ways_in.LastWayInError`."""
    removed = ways_in.remove_identity(
        ctx.db, user_id, identity.id, ctx.now, keep_session=keep_session, **mail_facts(ctx)
    )
    if removed is not None:
        ctx.record(Event.IDENTITY_UNLINKED, user_id=user_id, provider=removed.provider)


def account_of(told: Mapping[str, Any]) -> str | None:
    """What an account elsewhere is called, for its owner to know it by."""
    found = told.get("email") or told.get("preferred_username") or told.get("name")
    return str(found) if found else None
