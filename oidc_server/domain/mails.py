"""Mails that people are owed: rows of the outbox, sent by `jobs/mail_delivery.py`."""

from datetime import datetime, timedelta
from enum import StrEnum

from oidc_server.database import Transaction
from oidc_server.domain import attempts, identifiers, links, outbox, users
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.links import Purpose
from oidc_server.domain.outbox import Queue


class MailKind(StrEnum):
    """The mails there are; each has `templates/email/<kind>.txt` and `.html`."""

    VERIFY_EMAIL = "verify_email"
    PASSWORD_RESET = "password_reset"
    ACCOUNT_EXISTS = "account_exists"
    CHANGE_EMAIL = "change_email"
    EMAIL_CHANGED = "email_changed"
    WELCOME = "welcome"
    INVITATION = "invitation"
    SECURITY_NOTICE = "security_notice"
    SIGN_IN_CODE = "sign_in_code"


class Notice(StrEnum):
    """What a person is told of when it happens to their account.

    All are one kind of mail: the words of each stand in `templates/components/notices.txt`.
    """

    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGED = "email_changed"
    USERNAME_CHANGED = "username_changed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    AUTHENTICATOR_ADDED = "authenticator_added"
    AUTHENTICATOR_REMOVED = "authenticator_removed"
    EMAIL_CODE_ADDED = "email_code_added"
    EMAIL_CODE_REMOVED = "email_code_removed"
    FACTORS_REMOVED = "factors_removed"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    NEW_DEVICE = "new_device"
    DEVICE_TRUSTED = "device_trusted"
    LASTING_ACCESS_GIVEN = "lasting_access_given"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    DELETION_ASKED = "deletion_asked"
    DELETION_CANCELLED = "deletion_cancelled"
    ACCOUNT_DELETED = "account_deleted"


NOT_ME_LIFETIME = timedelta(days=7)
"""How long a notice can be answered with "this was not me": people are away from their mail."""
_LINK_IS_NO_HELP = frozenset(
    {Notice.ACCOUNT_DISABLED, Notice.ACCOUNT_DELETED, Notice.DELETION_ASKED}
)


def enqueue(
    db: Transaction,
    kind: MailKind,
    *,
    user_id: str | None,
    to: str,
    link_id: str | None = None,
    now: datetime,
    **facts: str,
) -> None:
    """Queue a mail of this kind. Without `user_id` it greets nobody by name.

    `link_id` is the id of the link in the mail. `facts` are for its text (`browser`, `system`,
    `address`, `detail`), and must hold no secret. `until` is a moment in ISO 8601, which is
    formatted for the reader. `language`, a list of tags, is used if the account has no language.
    """
    payload = {"user_id": user_id, "to": to, "link_id": link_id, "facts": facts}
    outbox.put(db, Queue.MAIL, kind.value, payload, now)


def notify(
    db: Transaction,
    user_id: str,
    notice: Notice,
    now: datetime,
    *,
    to: str | None = None,
    **facts: str,
) -> None:
    """Tell a person what happened to their account: `notify(db, id, notice, now, **mail_facts)`.

    The mail goes to their verified address, or to `to`, the one that the account just gave up.
    Facts are those of `enqueue`; `detail` names what it is about: the model of a key, an
    application, a day. It is text of ours or of the operator, never what somebody typed into this
    account, who may be an intruder.

    With its link, whoever did not do it closes the account to everybody.

    The same notice is sent at most a few times in a row, so that nobody can flood a mailbox with
    it.
    """
    user = users.get_address(db, user_id)
    if to is None and user.email_verified_at is not None:
        to = user.email
    if to is None:
        return
    booked = attempts.book_mail(db, f"notice:{notice}", identifiers.canonical_email(to), now)
    if isinstance(booked, Throttled):
        return
    link_id = None
    if to == user.email and notice not in _LINK_IS_NO_HELP:
        link_id = links.mint(
            db, Purpose.NOT_ME, user_id=user_id, email=to, now=now, lifetime=NOT_ME_LIFETIME
        )
    enqueue(
        db,
        MailKind.SECURITY_NOTICE,
        # An account that ends may be gone when its mail is written.
        user_id=None if notice is Notice.ACCOUNT_DELETED else user_id,
        to=to,
        link_id=link_id,
        now=now,
        notice=notice,
        **facts,
    )
