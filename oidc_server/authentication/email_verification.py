"""/verify-email and /change-email: a mailed link and its button, or the code that is typed instead.

Either link works for whoever is signed in to the account that asked for it, and for nobody else:
whoever typed a foreign address must not get it verified by a click of its owner.
"""

from oidc_server.domain import users
from oidc_server.domain.links import Link, Purpose
from oidc_server.people import email_addresses, mailed_link
from oidc_server.web.context import Context
from oidc_server.web.responses import Response

_PAGES = {Purpose.VERIFY_EMAIL: "verify_email", Purpose.CHANGE_EMAIL: "change_email"}


def show_verify_email(ctx: Context) -> Response:
    """A page with a button, which names the account: its owner may have typed a foreign address."""
    return _show(ctx, Purpose.VERIFY_EMAIL)


def submit_verify_email(ctx: Context) -> Response:
    """Use the link, once."""
    return _submit(ctx, Purpose.VERIFY_EMAIL)


def show_change_email(ctx: Context) -> Response:
    """The same for the address that shall follow the one an account has."""
    return _show(ctx, Purpose.CHANGE_EMAIL)


def submit_change_email(ctx: Context) -> Response:
    """Use the link, once: from now on the account has the new address."""
    return _submit(ctx, Purpose.CHANGE_EMAIL)


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

    return _code_page(ctx, ctx.user_session.user_id)


def submit_email_code(ctx: Context) -> Response:
    """Use the code. A wrong one is refused alike whether a mail is on its way or not."""
    session = ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login")

    link = email_addresses.confirm_with_code(ctx, session.user_id, ctx.form.text("code"))
    if link is None:
        return _code_page(ctx, session.user_id, status=422, error="wrong")
    return ctx.redirect("account.overview", notice="email_verified")


def _code_page(
    ctx: Context, user_id: str, *, status: int = 200, error: str | None = None
) -> Response:
    user = users.get(ctx.db, user_id)
    return ctx.render(
        "authentication/email_code.html",
        status=status,
        error=error,
        unverified=user.email if user.email_verified_at is None else None,
    )


def _show(ctx: Context, purpose: Purpose) -> Response:
    arriving = mailed_link.arrive(ctx, purpose, f"authentication.{_PAGES[purpose]}")
    if arriving is not None:
        return arriving
    value = ctx.kept_link
    link = mailed_link.find(ctx, purpose, value)
    if link is None or link.user_id is None:
        return mailed_link.invalid(ctx, purpose)

    return _page(ctx, purpose, link, value)


def _submit(ctx: Context, purpose: Purpose) -> Response:
    value = ctx.form.text("link")
    waiting = mailed_link.find(ctx, purpose, value)
    if waiting is not None and not _holds_account(ctx, waiting):
        return _page(ctx, purpose, waiting, value, status=403)
    link = email_addresses.confirm_with_link(ctx, purpose, value)
    if link is None:
        return mailed_link.invalid(ctx, purpose)

    return ctx.render("authentication/email_verified.html", client=None, email=link.email)


def _page(ctx: Context, purpose: Purpose, link: Link, value: str, status: int = 200) -> Response:
    return ctx.render(
        "authentication/confirm_email.html",
        status=status,
        changing=purpose is Purpose.CHANGE_EMAIL,
        link=value,
        email=link.email,
        username=users.get(ctx.db, link.user_id or "").username,
        signed_in=_holds_account(ctx, link),
        here=ctx.path(f"authentication.{_PAGES[purpose]}"),
    )


def _holds_account(ctx: Context, link: Link) -> bool:
    return ctx.user_session is not None and ctx.user_session.user_id == link.user_id
