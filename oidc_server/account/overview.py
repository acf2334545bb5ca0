"""/account: what to improve, and which apps you use."""

from oidc_server.account.improvements import Standing, improvements
from oidc_server.domain import clients, consents, passkeys, user_sessions, users
from oidc_server.web import console, passkey_proof
from oidc_server.web.client_view import view_of
from oidc_server.web.console import get_session
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_overview(ctx: Context) -> Response:
    session = get_session(ctx)
    user_sessions.touch(ctx.db, session, ctx.now, ctx.runtime.settings.session_idle_lifetime)
    user = users.get(ctx.db, session.user_id)
    apps = []
    for client_id, since in consents.list_for_user(ctx.db, user.id):
        client = clients.find(ctx.db, client_id)
        if client is not None:
            redirect_uri = next(iter(client.metadata.redirect_uris), "")
            apps.append((view_of(client, redirect_uri), since))
    possible = passkey_proof.are_possible(ctx)
    standing = Standing(
        has_email=user.email is not None,
        email_is_verified=user.email_verified_at is not None,
        has_passkey=bool(passkeys.list_for_user(ctx.db, user.id)) if possible else None,
    )

    return console.render(
        ctx,
        "account/overview.html",
        name=user.name,
        email=user.email,
        lines=improvements(standing),
        signed_in_at=session.auth_time,
        apps=apps,
    )
