"""/account: what to improve, where you are signed in, which apps you use, and what happened."""

from oidc_server.account.activity import happenings
from oidc_server.account.apps import connected
from oidc_server.account.improvements import Standing, improvements
from oidc_server.account.sessions import devices
from oidc_server.domain import audit_trail, factors, user_sessions, users
from oidc_server.domain.audit_trail import Filter
from oidc_server.domain.factors import recovery_codes
from oidc_server.domain.users import User
from oidc_server.people import console, passkey_proof
from oidc_server.people.console import get_session
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_SHOWN = 3


def show_overview(ctx: Context) -> Response:
    session = get_session(ctx)
    user_sessions.touch(ctx.db, session, ctx.now, ctx.runtime.settings.session_idle_lifetime)
    user = users.get(ctx.db, session.user_id)
    signed_in = devices(ctx, user.id)
    apps = connected(ctx, user.id)
    codes = recovery_codes.left(ctx.db, user.id)
    events = audit_trail.search(ctx.db, Filter(user_id=user.id), limit=_SHOWN)

    return console.render(
        ctx,
        "account/overview.html",
        name=user.name,
        email=user.email,
        lines=improvements(_standing(ctx, user, codes)),
        recovery_codes=codes,
        devices=sorted(signed_in, key=lambda device: device.id != session.id)[:_SHOWN],
        devices_in_all=len(signed_in),
        apps=apps[:_SHOWN],
        apps_in_all=len(apps),
        happenings=happenings(ctx, user.id, events),
        session_id=session.id,
    )


def _standing(ctx: Context, user: User, codes: int) -> Standing:
    return Standing(
        has_email=user.email is not None,
        email_is_verified=user.email_verified_at is not None,
        passkeys_are_possible=passkey_proof.are_possible(ctx),
        has_password=user.password_hash is not None,
        factors=factors.held_by(ctx.db, user.id),
        recovery_codes=codes,
    )
