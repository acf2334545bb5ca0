"""/verify-email: the mailed link, and the button that uses it."""

from oidc_server.domain import attempts, audit, links, mails, users
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.audit import Event
from oidc_server.domain.links import Purpose
from oidc_server.domain.mails import MailKind
from oidc_server.domain.users import User
from oidc_server.web import mailed_link
from oidc_server.web.context import Context
from oidc_server.web.mail_facts import mail_facts
from oidc_server.web.responses import Response


def ask(ctx: Context, user: User) -> None:
    """Send a mail to the address of an account, or tell whoever has verified it elsewhere.

    Both ways do the same work, so that their time does not tell whether an address is known here.
    """
    if user.email is None or user.canonical_email is None:
        return
    booked = attempts.book_mail(ctx.db, MailKind.VERIFY_EMAIL, user.canonical_email, ctx.now)
    if isinstance(booked, Throttled):
        return
    owner = users.find_for_sign_in(ctx.db, user.email)
    link_id = links.mint(
        ctx.db,
        Purpose.VERIFY_EMAIL,
        user_id=user.id,
        email=user.email,
        now=ctx.now,
        lifetime=ctx.runtime.settings.link_lifetime,
    )
    # To the address as its owner wrote it: two spellings are one here, but may be two mailboxes.
    mails.enqueue(
        ctx.db,
        MailKind.ACCOUNT_EXISTS if owner else MailKind.VERIFY_EMAIL,
        user_id=owner.id if owner else user.id,
        to=owner.email if owner else user.email,
        link_id=None if owner else link_id,
        now=ctx.now,
        **mail_facts(ctx),
    )


def show_verify_email(ctx: Context) -> Response:
    """A page with a button, which names the account: the address may be that of a stranger."""
    arriving = mailed_link.arrive(ctx, Purpose.VERIFY_EMAIL, "authentication.verify_email")
    if arriving is not None:
        return arriving
    value = ctx.kept_link
    link = mailed_link.find(ctx, Purpose.VERIFY_EMAIL, value)
    if link is None or link.user_id is None:
        return _invalid(ctx)

    username = users.get(ctx.db, link.user_id).username
    return ctx.render(
        "authentication/verify_email.html", link=value, email=link.email, username=username
    )


def submit_verify_email(ctx: Context) -> Response:
    """Use the link, once."""
    link = mailed_link.consume(ctx, Purpose.VERIFY_EMAIL, ctx.form.text("link"))
    if link is None or link.user_id is None or link.email is None:
        return _invalid(ctx)

    if not users.verify_email(ctx.db, link.user_id, link.email, ctx.now):
        return _invalid(ctx)
    audit.record(ctx.db, Event.EMAIL_VERIFIED, origin=ctx.origin, now=ctx.now, user_id=link.user_id)
    mails.enqueue(
        ctx.db,
        MailKind.WELCOME,
        user_id=link.user_id,
        to=link.email,
        now=ctx.now,
        **mail_facts(ctx),
    )
    return ctx.render("authentication/email_verified.html", client=None, email=link.email)


def resend_verification(ctx: Context) -> Response:
    """Send the mail again, from the account."""
    session = ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login")
    user = users.get(ctx.db, session.user_id)
    if user.email_verified_at is not None:
        return ctx.redirect("account.overview", notice="email_verified")

    ask(ctx, user)
    return ctx.redirect("account.overview", notice="verification_sent")


def _invalid(ctx: Context) -> Response:
    return ctx.render("authentication/link_invalid.html", status=400, purpose="verify")
