"""The addresses of the console: what each shows, takes, and asks for first."""

from starlette.routing import Route

from oidc_server.account import activity, apps, email, overview, profile, sessions, theme
from oidc_server.account.data import deletion, download
from oidc_server.account.data import page as data
from oidc_server.account.security import page as security
from oidc_server.people import console
from oidc_server.web.load.rate_limit import MAILS

ROUTES = [
    Route(
        "/account", console.page(overview.show_overview, access="write"), name="account.overview"
    ),
    Route(
        "/account/profile",
        console.form(profile.show_profile, profile.submit_profile),
        name="account.profile",
    ),
    Route(
        "/account/theme",
        console.action(theme.submit_theme, page="account.overview"),
        name="account.theme",
    ),
    Route(
        "/account/sessions",
        console.page(sessions.show_sessions, before=sessions.prepare_labels),
        name="account.sessions",
    ),
    Route(
        "/account/sessions/end-others",
        console.action(sessions.submit_end_other_sessions, page="account.sessions"),
        name="account.end_other_sessions",
    ),
    Route(
        "/account/sessions/{session_id}/end",
        console.action(sessions.submit_end_session, page="account.sessions"),
        name="account.end_session",
    ),
    Route("/account/apps", console.page(apps.show_apps), name="account.apps"),
    Route(
        "/account/apps/{client_id}/remove",
        console.action(apps.submit_remove_app, page="account.apps"),
        name="account.remove_app",
    ),
    Route("/account/activity", console.page(activity.show_activity), name="account.activity"),
    Route(
        "/account/profile/email",
        console.form(
            email.show_change_email,
            email.submit_change_email,
            before=email.prepare_change_email,
            limit=MAILS,
            sensitive=True,
        ),
        name="account.change_email",
    ),
    Route("/account/data", console.page(data.show_data), name="account.data"),
    Route(
        "/account/data/download",
        console.form(
            download.show_download,
            download.submit_download,
            before=download.prepare_download,
            sensitive=True,
        ),
        name="account.download",
    ),
    Route(
        "/account/data/delete",
        console.form(
            deletion.show_deletion,
            deletion.submit_deletion,
            before=deletion.prepare_deletion,
            sensitive=True,
        ),
        name="account.delete",
    ),
    Route("/account/security", console.page(security.show_security), name="account.security"),
]
"""Those below the security page are in `security/addresses.py`."""
