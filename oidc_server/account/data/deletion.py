"""/account/data/delete: shut the account, and delete it when the time to come back is over."""

from typing import Any

from oidc_server.account import proof
from oidc_server.domain import roles
from oidc_server.domain.roles import LastAdministratorError
from oidc_server.people import browser_session, own_account, reauthentication
from oidc_server.people.console import get_session
from oidc_server.people.reauthentication import Begun, Reauthentication
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_FORM = "account/data/delete.html"


def show_deletion(ctx: Context) -> Response:
    return proof.page(ctx, _FORM, **_values(ctx))


def prepare_deletion(ctx: Context) -> Begun:
    """Ahead of `submit_deletion`: whoever finds an open browser cannot do this."""
    return proof.begin(ctx)


def submit_deletion(ctx: Context) -> Response:
    again: Reauthentication = ctx.proof
    roles.take_turn(ctx.db)  # before the row of the person, which a proof locks (ADR 0024)
    if not reauthentication.settle(ctx, again):
        return proof.page(ctx, _FORM, refused=again, **_values(ctx))

    try:
        with ctx.db.savepoint():
            own_account.delete(ctx, get_session(ctx).user_id)
    except LastAdministratorError:
        values = {**_values(ctx), "last_administrator": True}
        return proof.page(ctx, _FORM, status=409, **values)
    browser_session.sign_out(ctx)
    grace = ctx.runtime.settings.account_deletion_grace
    until = ctx.now + grace if grace else None
    return ctx.render("account/data/deleted.html", until=until)


def _values(ctx: Context) -> dict[str, Any]:
    days = ctx.runtime.settings.account_deletion_grace.days
    return {"days": days, "last_administrator": False}
