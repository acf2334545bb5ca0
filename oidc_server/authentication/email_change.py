"""/change-email: the link to the new address. /undo-email-change: the one to the old."""

from oidc_server.domain import users
from oidc_server.domain.links import Link, Purpose
from oidc_server.web import email_addresses, mailed_link
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_change_email(ctx: Context) -> Response:
    """A page with a button, which names the account: the address may be that of a stranger."""
    return _show(ctx, Purpose.CHANGE_EMAIL, "change_email")


def submit_change_email(ctx: Context) -> Response:
    """Use the link, once."""
    link = email_addresses.confirm_with_link(ctx, Purpose.CHANGE_EMAIL, ctx.form.text("link"))
    if link is None:
        return _invalid(ctx, "change_email")

    return ctx.render("authentication/email_verified.html", client=None, email=link.email)


def show_undo_email_change(ctx: Context) -> Response:
    """A page with a button: what it does cannot be taken back by whoever changed the address."""
    return _show(ctx, Purpose.UNDO_EMAIL_CHANGE, "undo_email_change")


def submit_undo_email_change(ctx: Context) -> Response:
    """Give the account back, and go on to a new password: the old one is void."""
    reset = email_addresses.undo_with_link(ctx, ctx.form.text("link"))
    if reset is None:
        return _invalid(ctx, "undo_email_change")

    ctx.keep_link(reset)
    return ctx.redirect("authentication.new_password")


def _show(ctx: Context, purpose: Purpose, page: str) -> Response:
    arriving = mailed_link.arrive(ctx, purpose, f"authentication.{page}")
    if arriving is not None:
        return arriving
    value = ctx.kept_link
    link = mailed_link.find(ctx, purpose, value)
    if link is None:
        return _invalid(ctx, page)
    return _page(ctx, page, link, value)


def _page(ctx: Context, page: str, link: Link, value: str) -> Response:
    username = users.get(ctx.db, link.user_id or "").username
    return ctx.render(
        f"authentication/{page}.html", link=value, email=link.email, username=username
    )


def _invalid(ctx: Context, purpose: str) -> Response:
    return ctx.render("authentication/link_invalid.html", status=400, purpose=purpose)
