"""A new password through a mailed link: asked for and chosen, the one way for pages and the API.

It signs nobody in, and touches no second factor: who has one still needs it.
"""

from collections.abc import Callable

from oidc_server.domain import attempts, credentials, identifiers, links, mails, users
from oidc_server.domain.attempts import Allowed
from oidc_server.domain.audit import Event
from oidc_server.domain.links import Link, Purpose
from oidc_server.domain.mails import MailKind
from oidc_server.people import mailed_link, new_password, own_account
from oidc_server.people.mail_facts import mail_facts
from oidc_server.people.new_password import NewPassword
from oidc_server.web.context import Context
from oidc_server.web.load.lanes import Inquiry


def ask(ctx: Context, identifier: str) -> None:
    """Mail a link if there is somebody to mail it to.

    A name without an account does the same work, up to a link that nobody gets: the time of the
    answer does not tell which names exist.
    """
    guessed = identifiers.guessed(identifier)
    account = credentials.find_guessed(ctx.db, guessed)
    if account and (users.is_shut(account, ctx.now) or account.email_verified_at is None):
        account = None
    user_id = account.id if account else None
    email = account.email if account else None
    to = (account and account.canonical_email) or guessed
    kind = MailKind.PASSWORD_RESET
    # Not with other mails of strangers: whoever asks for those must not keep this one from the
    # owner. Whoever asks for too many of these has the owner get the link.
    booked = attempts.book_mail(ctx.db, kind, to, ctx.now)
    ctx.record(Event.PASSWORD_RESET_ASKED, user_id=user_id)
    link_id = _mint(ctx, user_id, email)
    if email and isinstance(booked, Allowed):
        mails.enqueue(
            ctx.db,
            kind,
            user_id=user_id,
            to=email,
            link_id=link_id,
            now=ctx.now,
            **mail_facts(ctx),
        )


def open_link(ctx: Context, user_id: str, email: str | None) -> str:
    """A link that is not mailed: for who has just used another one that came to this address."""
    return ctx.runtime.links.sign(Purpose.RESET_PASSWORD, _mint(ctx, user_id, email))


def prepare(
    ctx: Context, link: str, password: str
) -> Callable[[], NewPassword] | Inquiry | NewPassword:
    """Ahead of `choose`: judge and hash the password, if the link could be used now."""
    found = mailed_link.find(ctx, Purpose.RESET_PASSWORD, link)
    if found is None or found.user_id is None:
        return NewPassword()
    user = users.get(ctx.db, found.user_id)
    known_by = (user.username, user.email, user.name)
    return new_password.choose(ctx, password, known_by, lambda chosen: chosen)


def choose(ctx: Context, link: str, chosen: NewPassword) -> Link | None:
    """Use the link once, and set the password; None if it cannot be used."""
    used = mailed_link.consume(ctx, Purpose.RESET_PASSWORD, link)
    if used is None or used.user_id is None or chosen.password_hash is None:
        return None
    own_account.change_password(ctx, used.user_id, chosen.password_hash, keep_session=None)
    return used


def _mint(ctx: Context, user_id: str | None, email: str | None) -> str:
    return links.mint(
        ctx.db,
        Purpose.RESET_PASSWORD,
        user_id=user_id,
        email=email,
        now=ctx.now,
        lifetime=ctx.runtime.settings.link_lifetime,
    )
