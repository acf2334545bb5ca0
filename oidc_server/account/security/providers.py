"""Accounts elsewhere: their section on /account/security, and the pages to connect one or not.

Connecting asks for the proof before the browser leaves; what comes back is taken in the session
that left (`authentication/providers/callback.py`).
"""

from collections.abc import Mapping
from typing import Any

from oidc_server.account import proof
from oidc_server.domain import identities, identity_providers, ways_in
from oidc_server.domain.identities import Identity
from oidc_server.domain.upstream_sign_ins import Reason
from oidc_server.domain.users import User
from oidc_server.domain.ways_in import LastWayInError
from oidc_server.people import linked_identities, provider_sign_in, reauthentication
from oidc_server.people.console import get_session
from oidc_server.people.provider_sign_in import ProviderAwayError
from oidc_server.people.reauthentication import Begun, Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response


def view(ctx: Context, user: User) -> Mapping[str, Any]:
    """What the section shows; nothing where there is no provider."""
    offered = identity_providers.list_providers(ctx.db, enabled_only=True)
    mine = identities.list_of_user(ctx.db, user.id)
    return {"identities": mine, "providers": offered}


def show_connect(ctx: Context) -> Response:
    return _connect_page(ctx)


def submit_connect(ctx: Context) -> Response:
    """Leave for the provider, once the owner has proven themselves."""
    again: Reauthentication = ctx.proof
    provider, session = provider_sign_in.get_provider(ctx), get_session(ctx)
    if not reauthentication.settle(ctx, again):
        return _connect_page(ctx, refused=again)

    try:
        return provider_sign_in.leave(
            ctx, provider, Reason(user_id=session.user_id, session_id=session.id)
        )
    except ProviderAwayError as error:
        provider_sign_in.log_failure(ctx, provider, str(error))
        return _connect_page(ctx, is_away=True, status=503)


def show_identity(ctx: Context) -> Response:
    return _identity_page(ctx, _identity(ctx))


def prepare_removal(ctx: Context) -> Begun:
    """Ahead of `submit_removal`."""
    _identity(ctx)
    return proof.begin(ctx)


def submit_removal(ctx: Context) -> Response:
    """Disconnect it, unless nothing else would let the person in."""
    again: Reauthentication = ctx.proof
    identity, session = _identity(ctx), get_session(ctx)
    if not reauthentication.settle(ctx, again):
        return _identity_page(ctx, identity, refused=again)

    try:
        linked_identities.unlink(ctx, session.user_id, identity, keep_session=session.id)
    except LastWayInError:
        return _identity_page(ctx, identity, status=409)
    return ctx.redirect("account.security", notice="provider_disconnected")


def _identity(ctx: Context) -> Identity:
    """The link of the address; raises `NotFoundError` for those of others too."""
    identity_id = ctx.incoming.path_params["identity_id"]
    found = identities.find_of_user(ctx.db, get_session(ctx).user_id, identity_id)
    if found is None:
        raise NotFoundError
    return found


def _connect_page(
    ctx: Context,
    *,
    refused: Reauthentication | None = None,
    is_away: bool = False,
    status: int | None = None,
) -> Response:
    return proof.page(
        ctx,
        "account/security/connect_provider.html",
        refused=refused,
        status=status,
        provider=provider_sign_in.get_provider(ctx),
        is_away=is_away,
        retry_after=60 if is_away else None,
    )


def _identity_page(
    ctx: Context,
    identity: Identity,
    *,
    refused: Reauthentication | None = None,
    status: int | None = None,
) -> Response:
    return proof.page(
        ctx,
        "account/security/identity.html",
        refused=refused,
        status=status,
        identity=identity,
        is_last=ways_in.is_last(ctx.db, identity.user_id, identity.id),
    )
