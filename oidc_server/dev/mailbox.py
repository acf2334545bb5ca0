"""/dev/mail: the mails of a server that has no mail server."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from oidc_server.clock import Clock
from oidc_server.dev.records import Document, Records
from oidc_server.outbound.mail import Mail
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.responses import Response


@dataclass(frozen=True)
class KeptMail:
    """A mail as the mailbox shows it."""

    id: str
    to: str
    subject: str
    text: str
    sent_at: datetime


class Mailbox:
    """A mail transport that sends nothing: it keeps the latest mails in a folder."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._records = Records(folder)
        self._clock = clock

    def send(self, mail: Mail) -> None:
        """Keep it; one that is sent again replaces itself."""
        document = {
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "sent_at": self._clock().isoformat(),
        }
        self._records.put(mail.message_id or str(uuid4()), document)

    def mails(self) -> list[KeptMail]:
        """What was sent, the newest first."""
        kept = (self.find(mail_id) for mail_id in self._records.names())
        return [mail for mail in kept if mail is not None]

    def find(self, mail_id: str) -> KeptMail | None:
        """One of them."""
        document = self._records.get(mail_id)
        return None if document is None else _from_document(mail_id, document)


def _from_document(mail_id: str, document: Document) -> KeptMail:
    sent_at = datetime.fromisoformat(document["sent_at"])
    return KeptMail(mail_id, document["to"], document["subject"], document["text"], sent_at)


def show_mails(ctx: Context) -> Response:
    """The list."""
    mails = [
        {
            "subject": mail.subject,
            "to": mail.to,
            "sent_at": mail.sent_at,
            "href": ctx.path("dev.mail_one", mail_id=mail.id),
        }
        for mail in _mailbox(ctx).mails()
    ]

    return ctx.render("dev/mail.html", mails=mails)


def show_mail(ctx: Context) -> Response:
    """One mail, its link to be clicked."""
    mail = _mailbox(ctx).find(ctx.incoming.path_params["mail_id"])

    if mail is None:
        raise NotFoundError

    return ctx.render(
        "dev/mail_one.html",
        subject=mail.subject,
        to=mail.to,
        sent_at=mail.sent_at,
        text=mail.text,
    )


def _mailbox(ctx: Context) -> Mailbox:
    """With a mail server there is no mailbox: the mails went out."""
    if not isinstance(ctx.runtime.mail, Mailbox):
        raise NotFoundError
    return ctx.runtime.mail
