"""Addresses are proved and changed here: the one way for pages and the API.

A mail carries a link, and a code that may be typed instead where one is signed in. Who asks learns
nothing of an address that belongs to somebody else: its owner gets another mail.
"""

from oidc_server.domain import attempts, credentials, endings, identifiers, links, mails, users
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.audit import Event
from oidc_server.domain.links import Link, Purpose
from oidc_server.domain.mails import MailKind
from oidc_server.domain.users import User
from oidc_server.people import mailed_link, password_recovery
from oidc_server.people.mail_facts import mail_facts
from oidc_server.web.context import Context

_KINDS = {
    Purpose.VERIFY_EMAIL: MailKind.VERIFY_EMAIL,
    Purpose.CHANGE_EMAIL: MailKind.CHANGE_EMAIL,
}


def ask_to_verify(ctx: Context, user: User) -> None:
    """Mail to the address of an account that is not verified, so that its owner may be."""
    if user.email is not None:
        _ask(ctx, user.id, user.email, Purpose.VERIFY_EMAIL)


def ask_to_change(ctx: Context, user_id: str, email: str) -> None:
    """Mail to the address that an account shall have; until it is proved, nothing changes.

    Raises `InvalidEmailError`. An earlier wish is forgotten.
    """
    address = identifiers.normal_email(email)
    links.kill(ctx.db, user_id, Purpose.CHANGE_EMAIL, ctx.now)
    ctx.record(Event.EMAIL_CHANGE_ASKED, user_id=user_id)
    _ask(ctx, user_id, address, Purpose.CHANGE_EMAIL)


def confirm_with_link(ctx: Context, purpose: Purpose, value: str) -> Link | None:
    """Use a mailed link once, for an address that is to be verified or changed.

    None if it cannot be used, or somebody else has verified the address meanwhile.
    """
    link = mailed_link.consume(ctx, purpose, value)
    return link if link is not None and _apply(ctx, link) else None


def confirm_with_code(ctx: Context, user_id: str, typed: str) -> Link | None:
    """The same with the code of a mail, which this person has typed.

    Return the answer to a wrong one: each code may be guessed at a few times only. The person is
    held before their links, as by whoever withdraws those.
    """
    users.hold(ctx.db, user_id)
    for purpose in _KINDS:
        link = links.guess_code(ctx.db, user_id, purpose, ctx.now)
        if link is not None and ctx.runtime.links.is_code(purpose, link.id, typed):
            used = links.consume(ctx.db, link.id, purpose, ctx.now)
            return link if used is not None and _apply(ctx, link) else None
    ctx.record(Event.CODE_REFUSED, user_id=user_id)
    return None


def undo_with_link(ctx: Context, value: str) -> str | None:
    """Take a change back; returns a link to choose a new password, or None if it cannot be done.

    Whoever changed the address knew the password, so it is void.
    """
    link = mailed_link.consume(ctx, Purpose.UNDO_EMAIL_CHANGE, value)
    if link is None or link.user_id is None or not endings.undo_email_change(ctx.db, link, ctx.now):
        return None
    ctx.record(Event.EMAIL_CHANGE_UNDONE, user_id=link.user_id)
    return password_recovery.open_link(ctx, link.user_id, link.email)


def _ask(ctx: Context, user_id: str, address: str, purpose: Purpose) -> None:
    """Write to an address, or tell whoever has verified it elsewhere.

    Both ways do the same work, so that their time does not tell whether an address is known here.
    """
    kind, settings = _KINDS[purpose], ctx.runtime.settings
    booked = attempts.book_mail_of_stranger(
        ctx.db, kind, identifiers.canonical_email(address), ctx.now
    )
    if isinstance(booked, Throttled):
        return
    owner = credentials.find_by_verified_email(ctx.db, address)
    if owner is not None and owner.id == user_id:
        owner = None
    link_id = links.mint(
        ctx.db,
        purpose,
        user_id=user_id,
        email=address,
        now=ctx.now,
        lifetime=settings.link_lifetime,
        code_lifetime=settings.mailed_code_lifetime,
    )
    # To the address as its owner wrote it: two spellings are one here, but may be two mailboxes.
    mails.enqueue(
        ctx.db,
        MailKind.ACCOUNT_EXISTS if owner else kind,
        user_id=owner.id if owner else user_id,
        to=(owner and owner.email) or address,
        link_id=None if owner else link_id,
        now=ctx.now,
        **mail_facts(ctx),
    )


def _apply(ctx: Context, link: Link) -> bool:
    if link.user_id is None or link.email is None:
        return False
    if link.purpose == Purpose.VERIFY_EMAIL:
        event = Event.EMAIL_VERIFIED
        done = users.verify_email(ctx.db, link.user_id, link.email, ctx.now)
    else:
        event = Event.EMAIL_CHANGED
        done = endings.change_email(
            ctx.db,
            link.user_id,
            link.email,
            ctx.now,
            undo_lifetime=ctx.runtime.settings.email_undo_lifetime,
            **mail_facts(ctx),
        )
    if done:
        ctx.record(event, user_id=link.user_id)
    if done and link.purpose == Purpose.VERIFY_EMAIL:
        _welcome(ctx, link.user_id, link.email)
    return done


def _welcome(ctx: Context, user_id: str, address: str) -> None:
    """The address is welcomed when it is confirmed, not when somebody claims it."""
    mails.enqueue(
        ctx.db, MailKind.WELCOME, user_id=user_id, to=address, now=ctx.now, **mail_facts(ctx)
    )
