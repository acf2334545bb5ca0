"""Who owes a second factor, and when; and who may spare themselves one in a browser they trust."""

from collections.abc import Callable
from datetime import timedelta

from oidc_server.domain import factors, roles, trusted_devices
from oidc_server.domain.factors.strength import (
    PASSWORD_ACR,
    STRONG,
    TWO_FACTOR_ACR,
    acr_of,
    included,
    is_asked_after_password,
)
from oidc_server.domain.grants import Granted
from oidc_server.domain.roles import Held
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.web import cookies
from oidc_server.web.context import Context

FRESH_FOR = timedelta(minutes=15)
"""How long a second factor that was shown is enough for what is dangerous."""


def has_strong(ctx: Context, user_id: str) -> bool:
    """Whether this person holds a factor that a session can be made stronger with."""
    return not factors.held_by(ctx.db, user_id).isdisjoint(STRONG)


def must_step_up(ctx: Context, sign_in: LiveSession | Granted) -> bool:
    """Whether a second factor has to be shown before something dangerous is done (ADR 0018).

    Whoever is asked for one after the password, at each sign-in, must have shown it in this
    session, or in the sign-in that this grant came of, and not long ago: a browser that is trusted
    or was left open, or a token, is not enough. What the password opens alone, it changes alone.
    Whoever must have one and has none gets one first.
    """
    is_fresh = ctx.now - sign_in.auth_time <= FRESH_FOR
    if is_fresh and acr_of(sign_in.amr) != PASSWORD_ACR:
        return False
    if are_required_of(ctx, sign_in.user_id):
        return True
    held = factors.held_by(ctx.db, sign_in.user_id)
    return is_asked_after_password(held, required=False)


def are_required_of(ctx: Context, user_id: str) -> bool:
    """Whether the operator wants this person to have a second factor."""
    return _are_required(ctx, lambda: roles.ADMIN in roles.roles_of(ctx.db, user_id))


def are_owed_for(ctx: Context, acr: str | None, held: Held) -> bool:
    """Whether a token of a sign-in of this class is too weak to act on others with these roles."""
    is_required = _are_required(ctx, lambda: held.is_administrator)
    return is_required and TWO_FACTOR_ACR not in included(acr)


def _are_required(ctx: Context, is_administrator: Callable[[], bool]) -> bool:
    """`is_administrator` is asked only where it decides: it may cost a statement."""
    match ctx.runtime.settings.second_factor:
        case "required":
            return True
        case "admins":
            return is_administrator()
        case "optional":
            return False


def are_owed_by(ctx: Context, session: LiveSession) -> bool:
    """Whether this session lacks the second factor that a sign-in of this person would need now.

    It began before the operator required one, or before its owner became an administrator.
    """
    if acr_of(session.amr) != PASSWORD_ACR or not are_required_of(ctx, session.user_id):
        return False
    return not (is_spared(ctx, session.user_id) and has_strong(ctx, session.user_id))


def may_trust(ctx: Context, user_id: str) -> bool:
    """Whether this person may spare themselves the second step here; administrators never."""
    allowed = bool(ctx.runtime.settings.trusted_device_lifetime)
    return allowed and roles.ADMIN not in roles.roles_of(ctx.db, user_id)


def is_spared(ctx: Context, user_id: str) -> bool:
    """Whether this person trusts this browser, and may."""
    mark = ctx.runtime.cookies.read(ctx.incoming, cookies.TRUSTED)
    if mark is None or not trusted_devices.is_trusted(ctx.db, user_id, mark, ctx.now):
        return False
    return may_trust(ctx, user_id)


def are_asked_of(ctx: Context, user_id: str) -> bool:
    """Whether the password of this person is not enough."""
    return bool(factors.held_by(ctx.db, user_id)) or are_required_of(ctx, user_id)
