"""/account/data/download: everything that is stored about a person, in one file."""

from oidc_server.account import proof
from oidc_server.domain import exports
from oidc_server.domain.audit import Event
from oidc_server.people import reauthentication
from oidc_server.people.console import get_session
from oidc_server.people.reauthentication import Begun, Reauthentication
from oidc_server.web import responses
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_FORM = "account/data/download.html"


def show_download(ctx: Context) -> Response:
    return proof.page(ctx, _FORM)


def prepare_download(ctx: Context) -> Begun:
    """Ahead of `submit_download`: a session alone does not carry everything away."""
    return proof.begin(ctx)


def submit_download(ctx: Context) -> Response:
    again: Reauthentication = ctx.proof
    if not reauthentication.settle(ctx, again):
        return proof.page(ctx, _FORM, refused=again)

    session = get_session(ctx)
    ctx.record(Event.DATA_EXPORTED, user_id=session.user_id)
    everything = exports.everything_about(ctx.db, session.user_id)
    name = f"{ctx.now:%Y-%m-%d}-account.json"
    file = responses.json({"issuer": ctx.runtime.issuer, "exported_at": ctx.now, **everything})
    return file.with_header("content-disposition", f'attachment; filename="{name}"')
