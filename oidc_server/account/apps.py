"""/account/apps: which clients have something of a person, and taking it back."""

from dataclasses import dataclass

from oidc_server.domain import client_access, clients
from oidc_server.domain.client_access import ClientAccess
from oidc_server.people import console, own_account
from oidc_server.people.client_view import ClientView, view_of, view_of_device
from oidc_server.people.console import get_session
from oidc_server.people.permission_view import PermissionView, view_of_permission
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """A client as the page shows it, with what it has of the person."""

    client: ClientView
    permission: PermissionView
    access: ClientAccess


def show_apps(ctx: Context) -> Response:
    return console.render(ctx, "account/apps.html", apps=connected(ctx, get_session(ctx).user_id))


def submit_remove_app(ctx: Context) -> Response:
    """Take back all that a client has; its tokens are dead from here on."""
    client_id: str = ctx.incoming.path_params["client_id"]
    if not own_account.withdraw_client(ctx, get_session(ctx).user_id, client_id):
        raise NotFoundError

    return ctx.redirect("account.apps", notice="app_removed")


def connected(ctx: Context, user_id: str) -> list[ConnectedApp]:
    """The apps of a person, the one used last first."""
    found = []
    for access in client_access.list_of_user(ctx.db, user_id, ctx.now):
        client = clients.find(ctx.db, access.client_id)
        if client is not None:
            redirect_uri = next(iter(client.metadata.redirect_uris), None)
            view = view_of_device(client) if redirect_uri is None else view_of(client, redirect_uri)
            permission = view_of_permission(ctx.db, access.permission)
            found.append(ConnectedApp(view, permission, access))
    return found
