"""A code by mail: the second step of whoever has nothing better."""

from oidc_server.domain import attempts, identifiers, mails, pending_sign_ins
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.mails import MailKind
from oidc_server.domain.pending_sign_ins import PendingSignIn
from oidc_server.people.mail_facts import mail_facts
from oidc_server.web.context import Context


def is_right(ctx: Context, pending: PendingSignIn, code: str) -> bool:
    """Whether the code is the one that was mailed. If so, that mail no longer counts."""
    right = pending_sign_ins.is_mailed_code(ctx.runtime.vault, pending, code)
    if right and pending.email is not None:
        to = identifiers.canonical_email(pending.email)
        attempts.mail_arrived(ctx.db, _counted_as(ctx, pending), to, ctx.now)
    return right


def send(ctx: Context, pending: PendingSignIn) -> bool:
    """Mail a new code, which voids the one before; False if that was asked for too often."""
    if pending.email is None:
        return False
    to = identifiers.canonical_email(pending.email)
    if isinstance(attempts.book_mail(ctx.db, _counted_as(ctx, pending), to, ctx.now), Throttled):
        return False
    code_id = pending_sign_ins.keep_mailed_code(ctx.db, pending, ctx.browser, ctx.now)
    if code_id is None:
        return False
    mails.enqueue(
        ctx.db,
        MailKind.SIGN_IN_CODE,
        user_id=pending.user_id,
        to=pending.email,
        link_id=code_id,
        now=ctx.now,
        **mail_facts(ctx),
    )
    return True


def _counted_as(ctx: Context, pending: PendingSignIn) -> str:
    """By browser, so that an intruder with the password cannot use up the mails of the owner."""
    return attempts.count_for_browser(ctx.db, MailKind.SIGN_IN_CODE, pending.user_id, ctx.browser)
