"""/undo-email-change: the link to the old address, by which its owner takes the account back."""

from oidc_server.domain import users
from oidc_server.domain.links import Purpose
from oidc_server.people import email_addresses, mailed_link
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_PURPOSE = Purpose.UNDO_EMAIL_CHANGE


def show_undo_email_change(ctx: Context) -> Response:
    """A page with a button: what it does cannot be taken back by whoever changed the address."""
    arriving = mailed_link.arrive(ctx, _PURPOSE, "authentication.undo_email_change")
    if arriving is not None:
        return arriving
    value = ctx.kept_link
    link = mailed_link.find(ctx, _PURPOSE, value)
    if link is None or link.user_id is None:
        return mailed_link.invalid(ctx, _PURPOSE)

    return ctx.render(
        "authentication/undo_email_change.html",
        link=value,
        email=link.email,
        username=users.get(ctx.db, link.user_id).username,
    )


def submit_undo_email_change(ctx: Context) -> Response:
    """Give the account back, and go on to a new password: the old one is void."""
    reset = email_addresses.undo_with_link(ctx, ctx.form.text("link"))
    if reset is None:
        return mailed_link.invalid(ctx, _PURPOSE)

    ctx.keep_link(reset)
    return ctx.redirect("authentication.new_password")
