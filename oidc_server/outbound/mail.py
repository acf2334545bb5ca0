"""Mail: messages, and the transports that send them.

A transport sends one mail, once, and its error says whether trying again makes sense. Retries are
up to the outbox.
"""

import os
import re
import secrets
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Protocol

from oidc_server.clock import Clock, utc_now
from oidc_server.observability import tracing
from oidc_server.outbound.breaker import Breaker, BreakerOpenError
from oidc_server.settings import Settings

TIMEOUT_SECONDS = 10.0
"""For each step of the SMTP dialogue."""
DEADLINE_SECONDS = 60.0
"""For all of it: a server that trickles bytes must not delay all other mails."""

_POLICY = SMTP.clone(cte_type="7bit")  # so that nobody on the way has to understand 8BITMIME
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,64}")


class MailUnavailableError(Exception):
    """The mail cannot be sent now; trying again may help, after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MailRefusedError(Exception):
    """The mail server refuses this mail for good, as for an unknown address."""


@dataclass(frozen=True)
class Mail:
    """One message to one person; ValueError if it could not be written as exactly that.

    `message_id` is the part before the at sign, the same at every attempt, so that a mail which
    arrives twice is known for one. `language` is that of the text.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    message_id: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        """Header injection ends here: what becomes a header is one line.

        An address is ASCII, its domain in the `xn--` form: few mail servers take other letters.
        """
        if not self.to.isprintable() or not self.subject.isprintable():
            raise ValueError("address and subject of a mail are one printable line each")
        for token in (self.message_id, self.language):
            if token is not None and not _TOKEN.fullmatch(token):
                raise ValueError("message id and language hold letters, digits and '-' only")
        try:
            is_address = self.to.isascii() and bool(Address(addr_spec=self.to).domain)
        except (MessageError, ValueError, IndexError):
            is_address = False
        if not is_address:
            raise ValueError("not an e-mail address")


class Transport(Protocol):
    """Sends mails."""

    def send(self, mail: Mail) -> None:
        """Hand it over, or raise MailUnavailableError or MailRefusedError."""
        ...


class NoTransport:
    """There is no mail server: mails wait in the outbox."""

    def send(self, mail: Mail) -> None:
        """Raise MailUnavailableError."""
        raise MailUnavailableError(f"OIDC_SMTP_URL is not set: {mail.message_id} was not sent")


class SmtpTransport:
    """Sends mails to the SMTP server of the settings, each on its own connection."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock = utc_now,
        tls: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT_SECONDS,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        """ValueError without OIDC_SMTP_URL. `tls` replaces the trust of the operating system."""
        if settings.smtp_server is None:
            raise ValueError("there is no mail server without OIDC_SMTP_URL")
        self._server = settings.smtp_server
        self._sender = Address(settings.brand_name, addr_spec=settings.mail_from)
        self._clock = clock
        self._timeout = timeout
        self._deadline = deadline
        self._tls = tls or ssl.create_default_context()
        self._breaker = Breaker.of(
            settings, "the mail server", answers=[MailRefusedError], kind="mail"
        )

    def send(self, mail: Mail) -> None:
        """Hand it over, or raise MailUnavailableError or MailRefusedError."""
        message = compose(mail, self._sender, date=format_datetime(self._clock()))
        try:
            with (
                self._breaker.guard(),
                tracing.call("mail", self._server.host),
                _our_errors(),
                self._connection() as smtp,
            ):
                smtp.send_message(message)
        except BreakerOpenError as error:
            raise MailUnavailableError(str(error), error.retry_after) from error

    def greet(self) -> None:
        """Connect, encrypt and sign in, and send nothing; raises the same errors."""
        with _our_errors(), self._connection():
            pass

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        """An encrypted, authenticated session, as far as the settings ask for it."""
        server = self._server
        # Our own name: asking the resolver for it, as smtplib would, can take very long.
        name = self._sender.domain
        if server.tls == "implicit":
            smtp: _Conversation = _EncryptedConversation(
                self._deadline,
                server.host,
                server.port,
                name,
                timeout=self._timeout,
                context=self._tls,
            )
        else:
            smtp = _Conversation(
                self._deadline, server.host, server.port, name, timeout=self._timeout
            )
        with closing(smtp):
            smtp.ehlo_or_helo_if_needed()
            offered = smtp.has_extn("starttls")
            if server.tls == "required" or (server.tls == "optional" and offered):
                smtp.starttls(context=self._tls)
                smtp.ehlo_or_helo_if_needed()
            if server.username is not None:
                smtp.login(server.username, server.password or "")
            yield smtp
            # The mail is accepted by now: a failing farewell must not send it twice.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()


def compose(mail: Mail, sender: Address, date: str) -> EmailMessage:
    """The message as it travels: text, and HTML beside it if there is some (RFC 2046 §5.1.4)."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = date
    message["Message-ID"] = f"<{mail.message_id or secrets.token_hex(16)}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no absence notes, please
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    if mail.language:  # last: what adds a part gives it the Content headers there are
        message["Content-Language"] = mail.language
    return message


class _Conversation(smtplib.SMTP):
    """An SMTP connection that is shut down at its deadline, which smtplib sees as a lost one."""

    def __init__(self, deadline: float, *address: Any, **options: Any) -> None:
        self._deadline = deadline
        self._is_over = threading.Event()
        super().__init__(*address, **options)

    def connect(self, *address: Any, **options: Any) -> tuple[int, bytes]:
        threading.Thread(target=self._watch, name="mail deadline", daemon=True).start()
        try:
            return super().connect(*address, **options)
        except OSError:  # which every error of smtplib is
            self.close()
            raise

    def close(self) -> None:
        self._is_over.set()
        super().close()

    def _watch(self) -> None:
        wait = self._deadline
        while not self._is_over.wait(wait):
            wait = 0.1  # after the deadline it may connect to one more address
            if (connected := self.sock) is not None:
                with suppress(OSError), socket.socket(fileno=os.dup(connected.fileno())) as ours:
                    ours.shutdown(socket.SHUT_RDWR)


class _EncryptedConversation(_Conversation, smtplib.SMTP_SSL):
    """The same, encrypted from the beginning."""


@contextmanager
def _our_errors() -> Iterator[None]:
    """Turn the errors of smtplib into ours: about this mail, or the mail server."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        raise _said_no(code, reply) from error
    except smtplib.SMTPDataError as error:
        raise _said_no(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailUnavailableError(f"the mail server is of no use: {error}") from error


def _said_no(code: int, reply: bytes | str) -> Exception:
    """RFC 5321 §4.2.1: 5yz is permanent, everything else temporary."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    reason = f"the mail server said {code} {text}"
    return MailRefusedError(reason) if 500 <= code <= 599 else MailUnavailableError(reason)
