"""/not-me: the link of a notice for whoever did not do what it tells of."""

from oidc_server.domain import endings, users
from oidc_server.domain.audit import Event
from oidc_server.domain.links import Link, Purpose
from oidc_server.people import mailed_link, password_recovery
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_not_me(ctx: Context) -> Response:
    """A page with a button that says what it does. Opening it does nothing: mail scanners do."""
    arriving = mailed_link.arrive(ctx, Purpose.NOT_ME, "authentication.not_me")
    if arriving is not None:
        return arriving
    link = mailed_link.find(ctx, Purpose.NOT_ME, ctx.kept_link)
    if link is None or link.user_id is None:
        return mailed_link.invalid(ctx, Purpose.NOT_ME)

    username = users.get(ctx.db, link.user_id).username
    return ctx.render("authentication/not_me.html", link=ctx.kept_link, username=username)


def submit_not_me(ctx: Context) -> Response:
    """Close the account to everybody, and let whoever reads its mail choose a new password."""
    link = mailed_link.consume(ctx, Purpose.NOT_ME, ctx.form.text("link"))
    if link is None or link.user_id is None:
        return mailed_link.invalid(ctx, Purpose.NOT_ME)

    endings.disown(ctx.db, link.user_id, link.created_at, ctx.now)
    ctx.record(Event.SIGN_IN_DISOWNED, user_id=link.user_id)
    if not _is_of_owner(ctx, link):
        return ctx.redirect("authentication.password_reset")
    ctx.keep_link(password_recovery.open_link(ctx, link.user_id, link.email))
    return ctx.redirect("authentication.new_password")


def _is_of_owner(ctx: Context, link: Link) -> bool:
    """Whether the mail went to the address that the account still has: a reset would go there."""
    user = users.get(ctx.db, link.user_id or "")
    return user.email_verified_at is not None and user.email == link.email
