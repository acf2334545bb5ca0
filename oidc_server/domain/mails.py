"""Mails that people are owed: rows of the outbox, sent by `jobs/mail_delivery.py`."""

from datetime import datetime
from enum import StrEnum

from oidc_server.database import Transaction
from oidc_server.domain import outbox
from oidc_server.domain.outbox import Queue


class MailKind(StrEnum):
    """The mails there are; each has `templates/email/<kind>.txt` and `.html`."""

    VERIFY_EMAIL = "verify_email"
    PASSWORD_RESET = "password_reset"
    PASSWORD_CHANGED = "password_changed"
    ACCOUNT_EXISTS = "account_exists"


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
    """Intend a mail of this kind.

    `link_id` is the id of the link that the mail shall carry, `facts` what its text tells beside
    that (`browser`, `address`): nothing in it opens a door.
    """
    payload = {"user_id": user_id, "to": to, "link_id": link_id, "facts": facts}
    outbox.put(db, Queue.MAIL, kind.value, payload, now)
