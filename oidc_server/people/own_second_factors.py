"""What people do to their own second factors: done in the domain, written down, and mailed."""

from dataclasses import dataclass

from oidc_server.domain import factors, mails
from oidc_server.domain.audit import Event
from oidc_server.domain.factors import Factor, recovery_codes, totp
from oidc_server.domain.factors.totp import Enrolment
from oidc_server.domain.mails import Notice
from oidc_server.people import browser_session, qr_code
from oidc_server.people.mail_facts import mail_facts
from oidc_server.people.qr_code import QrCode
from oidc_server.security.totp import provisioning_uri
from oidc_server.web.context import Context

_GROUP = 4
_LONGEST_NAME = 60
_REMOVED = {
    Factor.TOTP: Notice.AUTHENTICATOR_REMOVED,
    Factor.EMAIL_CODE: Notice.EMAIL_CODE_REMOVED,
}


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """What a page shows of an app that is being set up: a picture, a link, and words to type."""

    picture: QrCode
    uri: str
    secret: str


def view_of(ctx: Context, enrolment: Enrolment, username: str) -> EnrolmentView:
    """The same secret in three ways."""
    uri = provisioning_uri(enrolment.secret, username, ctx.runtime.settings.brand_name)
    secret = enrolment.secret
    groups = [secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP)]
    return EnrolmentView(qr_code.draw(uri), uri, " ".join(groups))


def confirm_authenticator(
    ctx: Context, user_id: str, enrolment: Enrolment, name: str, code: str
) -> list[str] | None:
    """Let an app count that showed its code; None if it did not.

    Returns the recovery codes that were made with the first one, to be shown once.
    """
    browser_session.hold(ctx)
    shown = " ".join(name.split())[:_LONGEST_NAME]
    if not totp.confirm(ctx.db, user_id, enrolment, shown, code, ctx.now):
        return None
    ctx.record(Event.FACTOR_ADDED, user_id=user_id, factor=Factor.TOTP.value)
    _tell(ctx, user_id, Notice.AUTHENTICATOR_ADDED)
    if recovery_codes.left(ctx.db, user_id):
        return []
    return recovery_codes.mint(ctx.db, ctx.runtime.vault, user_id, ctx.now)


def make_recovery_codes(ctx: Context, user_id: str) -> list[str]:
    """A new set, which voids the old one; to be shown once."""
    codes = recovery_codes.mint(ctx.db, ctx.runtime.vault, user_id, ctx.now)
    ctx.record(Event.RECOVERY_CODES_MADE, user_id=user_id)
    _tell(ctx, user_id, Notice.RECOVERY_CODES_MADE)
    return codes


def add_mailed_codes(ctx: Context, user_id: str) -> None:
    """Have a code mailed at every sign-in, as long as there is nothing better."""
    if factors.add_mailed_codes(ctx.db, user_id, ctx.now):
        ctx.record(Event.FACTOR_ADDED, user_id=user_id, factor=Factor.EMAIL_CODE.value)
        _tell(ctx, user_id, Notice.EMAIL_CODE_ADDED)


def remove(ctx: Context, user_id: str, factor_id: str) -> bool:
    """Remove one of their factors; False if they have no such."""
    removed = factors.remove(ctx.db, user_id, factor_id)
    if removed is None:
        return False
    ctx.record(Event.FACTOR_REMOVED, user_id=user_id, factor=removed.kind)
    _tell(ctx, user_id, _REMOVED[Factor(removed.kind)])
    return True


def _tell(ctx: Context, user_id: str, notice: Notice) -> None:
    mails.notify(ctx.db, user_id, notice, ctx.now, **mail_facts(ctx))
