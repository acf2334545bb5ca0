"""/password-reset: ask for a link by mail, and set a new password with it."""

from collections.abc import Callable, Mapping

from oidc_server.domain import attempts, audit, endings, identifiers, links, mails, users
from oidc_server.domain.attempts import Allowed
from oidc_server.domain.audit import Event
from oidc_server.domain.links import Link, Purpose
from oidc_server.domain.mails import MailKind
from oidc_server.web import mailed_link, new_password
from oidc_server.web.context import Context
from oidc_server.web.lanes import Inquiry
from oidc_server.web.mail_facts import mail_facts
from oidc_server.web.new_password import NewPassword
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

    _send_link(ctx, identifier)

    minutes = int(ctx.runtime.settings.link_lifetime.total_seconds()) // _MINUTE
    return ctx.render("authentication/check_mail.html", identifier=identifier, minutes=minutes)


def _send_link(ctx: Context, identifier: str) -> None:
    """Mail a link if there is somebody to mail it to.

    A name without an account does the same work, up to a link that nobody gets: the time of the
    answer does not tell which names exist.
    """
    account = users.find_for_sign_in(ctx.db, identifier)
    if account and (users.is_shut(account, ctx.now) or account.email_verified_at is None):
        account = None
    user_id = account.id if account else None
    to = account.canonical_email if account else identifiers.guessed(identifier)
    kind = MailKind.PASSWORD_RESET
    booked = attempts.book_mail(ctx.db, kind, to, ctx.now)
    audit.record(
        ctx.db, Event.PASSWORD_RESET_ASKED, origin=ctx.origin, now=ctx.now, user_id=user_id
    )
    link_id = links.mint(
        ctx.db,
        Purpose.RESET_PASSWORD,
        user_id=user_id,
        email=account.email if account else None,
        now=ctx.now,
        lifetime=ctx.runtime.settings.link_lifetime,
    )
    if account and isinstance(booked, Allowed):
        mails.enqueue(
            ctx.db,
            kind,
            user_id=user_id,
            to=account.email,
            link_id=link_id,
            now=ctx.now,
            **mail_facts(ctx),
        )


def show_new_password(ctx: Context) -> Response:
    """The page behind the mailed link. Opening it uses nothing."""
    arriving = mailed_link.arrive(ctx, Purpose.RESET_PASSWORD, "authentication.new_password")
    if arriving is not None:
        return arriving
    link = mailed_link.find(ctx, Purpose.RESET_PASSWORD, ctx.kept_link)
    if link is None:
        return _invalid(ctx)

    return _page(ctx, link, ctx.kept_link, {})


def prepare_new_password(ctx: Context) -> Callable[[], NewPassword] | Inquiry | NewPassword:
    """Ahead of `submit_new_password`: say what is wrong, or hash the password."""
    link = mailed_link.find(ctx, Purpose.RESET_PASSWORD, ctx.form.text("link"))
    if link is None or link.user_id is None:
        return NewPassword()
    user = users.get(ctx.db, link.user_id)
    known_by = (user.username, user.email, user.name)
    return new_password.choose(ctx, ctx.form.text("password"), known_by, lambda chosen: chosen)


def submit_new_password(ctx: Context) -> Response:
    """Use the link once, and set the password. It signs nobody in: the new password does."""
    chosen: NewPassword = ctx.proof
    value = ctx.form.text("link")
    link = mailed_link.find(ctx, Purpose.RESET_PASSWORD, value)
    if link is not None and chosen.problem is not None:
        return _page(ctx, link, value, {"password": chosen.problem}, status=422)

    link = mailed_link.consume(ctx, Purpose.RESET_PASSWORD, value)
    if link is None or link.user_id is None or chosen.password_hash is None:
        return _invalid(ctx)
    endings.change_password(ctx.db, link.user_id, chosen.password_hash, ctx.now, **mail_facts(ctx))
    audit.record(
        ctx.db, Event.PASSWORD_CHANGED, origin=ctx.origin, now=ctx.now, user_id=link.user_id
    )
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


def _invalid(ctx: Context) -> Response:
    return ctx.render("authentication/link_invalid.html", status=400, purpose="reset")
