"""/verify-email: the mailed link and the button that uses it, or the code that is typed instead."""

from oidc_server.domain import users
from oidc_server.domain.links import Link, Purpose
from oidc_server.web import email_addresses, mailed_link
from oidc_server.web.context import Context
from oidc_server.web.responses import Response


def show_verify_email(ctx: Context) -> Response:
    """A page with a button, which names the account: the address may be that of a stranger."""
    arriving = mailed_link.arrive(ctx, Purpose.VERIFY_EMAIL, "authentication.verify_email")
    if arriving is not None:
        return arriving
    value = ctx.kept_link
    link = mailed_link.find(ctx, Purpose.VERIFY_EMAIL, value)
    if link is None or link.user_id is None:
        return _invalid(ctx)

    return _page(ctx, link, value)


def submit_verify_email(ctx: Context) -> Response:
    """Use the link, once, for whoever is signed in to the account that asked for it.

    Somebody else may have signed up with the address of a stranger, whose button must not confirm
    an account that they do not hold the password of.
    """
    value = ctx.form.text("link")
    waiting = mailed_link.find(ctx, Purpose.VERIFY_EMAIL, value)
    if waiting is not None and not _holds_account(ctx, waiting):
        return _page(ctx, waiting, value, status=403)
    link = email_addresses.confirm_with_link(ctx, Purpose.VERIFY_EMAIL, value)
    if link is None:
        return _invalid(ctx)

    return ctx.render("authentication/email_verified.html", client=None, email=link.email)


def _page(ctx: Context, link: Link, value: str, status: int = 200) -> Response:
    return ctx.render(
        "authentication/verify_email.html",
        status=status,
        link=value,
        email=link.email,
        username=users.get(ctx.db, link.user_id or "").username,
        signed_in=_holds_account(ctx, link),
        here=ctx.path("authentication.verify_email"),
    )


def _holds_account(ctx: Context, link: Link) -> bool:
    return ctx.user_session is not None and ctx.user_session.user_id == link.user_id


def resend_verification(ctx: Context) -> Response:
    """Send the mail again, from the account."""
    session = ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login")
    user = users.get(ctx.db, session.user_id)
    if user.email_verified_at is not None:
        return ctx.redirect("account.overview", notice="email_verified")

    email_addresses.ask_to_verify(ctx, user)
    return ctx.redirect("account.overview", notice="verification_sent")


def show_email_code(ctx: Context) -> Response:
    """Where the code of a mail is typed, for an address that is to be verified or changed."""
    if ctx.user_session is None:
        return ctx.redirect("authentication.login")

    return ctx.render("authentication/email_code.html", error=None)


def submit_email_code(ctx: Context) -> Response:
    """Use the code. A wrong one is refused alike whether a mail is on its way or not."""
    session = ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login")

    link = email_addresses.confirm_with_code(ctx, session.user_id, ctx.form.text("code"))
    if link is None:
        return ctx.render("authentication/email_code.html", status=422, error="wrong")
    return ctx.redirect("account.overview", notice="email_verified")


def _invalid(ctx: Context) -> Response:
    return ctx.render("authentication/link_invalid.html", status=400, purpose="verify")
