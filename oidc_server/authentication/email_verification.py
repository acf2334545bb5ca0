"""/verify-email: the mailed link, and the button that uses it."""

from oidc_server.domain import attempts, audit, links, outbox, users
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.audit import Event
from oidc_server.domain.links import Purpose
from oidc_server.domain.outbox import MailKind
from oidc_server.domain.users import User
from oidc_server.web.context import Context
from oidc_server.web.mail_facts import mail_facts
from oidc_server.web.responses import Response


def ask(ctx: Context, user: User) -> None:
    """Send a mail to the address of an account; its owner elsewhere is told instead, if it has one."""
    if user.email is None or user.canonical_email is None:
        return
    kind = MailKind.VERIFY_EMAIL
    if isinstance(attempts.book_mail(ctx.db, kind, user.canonical_email, ctx.now), Throttled):
        return
    owner = users.find_for_sign_in(ctx.db, user.email)
    if owner is not None:
        outbox.enqueue(
            ctx.db,
            MailKind.ACCOUNT_EXISTS,
            user_id=owner.id,
            to=user.email,
            now=ctx.now,
            **mail_facts(ctx),
        )
        return
    link_id = links.mint(
        ctx.db,
        Purpose.VERIFY_EMAIL,
        user_id=user.id,
        email=user.email,
        now=ctx.now,
        lifetime=ctx.runtime.settings.link_lifetime,
    )
    outbox.enqueue(
        ctx.db,
        kind,
        user_id=user.id,
        to=user.email,
        link_id=link_id,
        now=ctx.now,
        **mail_facts(ctx),
    )


def show_verify_email(ctx: Context) -> Response:
    """A page with a button: mail scanners open links, and must not use them."""
    value = ctx.query.get("link")
    if value is not None:
        ctx.keep_link(value)
        return ctx.redirect("authentication.verify_email")
    value = ctx.kept_link
    link_id = ctx.runtime.links.read(Purpose.VERIFY_EMAIL, value)
    link = links.find(ctx.db, link_id, Purpose.VERIFY_EMAIL, ctx.now) if link_id else None
    if link is None:
        return _invalid(ctx)

    return ctx.render("authentication/verify_email.html", link=value, email=link.email)


def submit_verify_email(ctx: Context) -> Response:
    """Use the link, once."""
    link_id = ctx.runtime.links.read(Purpose.VERIFY_EMAIL, ctx.form.text("link"))
    link = links.consume(ctx.db, link_id, Purpose.VERIFY_EMAIL, ctx.now) if link_id else None
    ctx.drop_link()
    if link is None or link.user_id is None or link.email is None:
        return _invalid(ctx)

    if not users.verify_email(ctx.db, link.user_id, link.email, ctx.now):
        return _invalid(ctx)
    audit.record(ctx.db, Event.EMAIL_VERIFIED, origin=ctx.origin, now=ctx.now, user_id=link.user_id)
    return ctx.render("authentication/email_verified.html", client=None, email=link.email)


def resend_verification(ctx: Context) -> Response:
    """Send the mail again, from the account."""
    session = ctx.user_session
    if session is None:
        return ctx.redirect("authentication.login")
    user = users.get(ctx.db, session.user_id)
    if user.email_verified_at is None:
        ask(ctx, user)
    return ctx.redirect("account.overview", notice="verification_sent")


def _invalid(ctx: Context) -> Response:
    return ctx.render("authentication/link_invalid.html", status=400, purpose="verify")
