"""/password-reset: ask for a link by mail, and set a new password with it."""

from collections.abc import Callable, Mapping

from oidc_server.domain import users
from oidc_server.domain.links import Link, Purpose
from oidc_server.people import mailed_link, password_recovery
from oidc_server.people.new_password import NewPassword
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Inquiry
from oidc_server.web.responses import Response

_MINUTE = 60
_LONGEST_SHOWN = 320


def show_password_reset(ctx: Context) -> Response:
    return ctx.render("authentication/password_reset.html")


def submit_password_reset(ctx: Context) -> Response:
    """Answer alike for every name; write only to a verified address, and not too often."""
    identifier = ctx.form.text("username").strip()[:_LONGEST_SHOWN]
    if not identifier:
        return ctx.redirect("authentication.password_reset")

    password_recovery.ask(ctx, identifier)

    minutes = int(ctx.runtime.settings.link_lifetime.total_seconds()) // _MINUTE
    return ctx.render("authentication/check_mail.html", identifier=identifier, minutes=minutes)


def show_new_password(ctx: Context) -> Response:
    """The page behind the mailed link. Opening it uses nothing."""
    arriving = mailed_link.arrive(ctx, Purpose.RESET_PASSWORD, "authentication.new_password")
    if arriving is not None:
        return arriving
    link = mailed_link.find(ctx, Purpose.RESET_PASSWORD, ctx.kept_link)
    if link is None:
        return mailed_link.invalid(ctx, Purpose.RESET_PASSWORD)

    return _page(ctx, link, ctx.kept_link, {})


def prepare_new_password(ctx: Context) -> Callable[[], NewPassword] | Inquiry | NewPassword:
    """Ahead of `submit_new_password`: say what is wrong, or hash the password."""
    return password_recovery.prepare(ctx, ctx.form.text("link"), ctx.form.text("password"))


def submit_new_password(ctx: Context) -> Response:
    """Use the link once, and set the password. It signs nobody in: the new password does."""
    chosen: NewPassword = ctx.proof
    value = ctx.form.text("link")
    link = mailed_link.find(ctx, Purpose.RESET_PASSWORD, value)
    if link is not None and chosen.problem is not None:
        return _page(ctx, link, value, {"password": chosen.problem}, status=422)

    if password_recovery.choose(ctx, value, chosen) is None:
        return mailed_link.invalid(ctx, Purpose.RESET_PASSWORD)
    return ctx.render("authentication/password_changed.html")


def _page(
    ctx: Context, link: Link, value: str, errors: Mapping[str, str], status: int = 200
) -> Response:
    user = users.get(ctx.db, link.user_id or "")
    return ctx.render(
        "authentication/new_password.html",
        status=status,
        link=value,
        username=user.username,
        errors=errors,
        password_min=ctx.runtime.settings.password_min_length,
    )
