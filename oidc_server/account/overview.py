"""/account: who you are here, and which apps you use."""

from dataclasses import dataclass

from oidc_server.domain import clients, consents, user_sessions, users
from oidc_server.web.client_view import view_of
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_NOTICES = ("verification_sent", "email_verified", "set_up")


@dataclass(frozen=True)
class Profile:
    """What the page shows of the person."""

    name: str | None
    username: str
    email: str | None
    email_verified: bool


def show_overview(ctx: Context) -> Response:
    session = ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login")
    user_sessions.touch(ctx.db, session, ctx.now, ctx.runtime.settings.session_idle_lifetime)
    user = users.get(ctx.db, session.user_id)
    apps = []
    for client_id, since in consents.list_for_user(ctx.db, user.id):
        client = clients.find(ctx.db, client_id)
        if client is not None:
            redirect_uri = next(iter(client.metadata.redirect_uris), "")
            apps.append((view_of(client, redirect_uri), since))
    notice = ctx.query.get("notice")

    return ctx.render(
        "account/overview.html",
        user=Profile(user.name, user.username, user.email, user.email_verified_at is not None),
        signed_in_at=session.auth_time,
        apps=apps,
        notice=notice if notice in _NOTICES else None,
    )
