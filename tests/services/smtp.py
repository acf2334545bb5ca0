"""A real mail server in a thread, which keeps what it is sent, and misbehaves on demand."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

_PATIENCE = 60.0


class Mood(Enum):
    """How the server treats the next message."""

    ACCEPT = "accept"
    REFUSE_FOR_NOW = "451 4.3.0 Try again later"
    REFUSE_FOR_GOOD = "550 5.1.1 No such mailbox"
    HANG = "hang"


class MailServer:
    """Listens on `host` and `port`; `messages` are those accepted so far, oldest first."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.mood = Mood.ACCEPT
        self.attempts = 0
        self.messages: list[EmailMessage] = []
        self._arrival = threading.Condition()
        self._end: asyncio.Event | None = None

    def wait_for(self, count: int = 1) -> list[EmailMessage]:
        """Return the messages once there are `count`; fail when they do not come."""
        with self._arrival:
            arrived = self._arrival.wait_for(lambda: len(self.messages) >= count, _PATIENCE)
        assert arrived, f"{len(self.messages)} of {count} mails came within {_PATIENCE} s"
        return list(self.messages)

    def mails_to(self, address: str) -> list[EmailMessage]:
        """Return the messages to that address, oldest first."""
        return [
            message for message in self.messages if address in message["X-Recipients"].split(", ")
        ]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        """Answer one message (aiosmtpd calls this)."""
        self.attempts += 1
        if self.mood is Mood.HANG:
            assert self._end is not None
            await self._end.wait()
        if self.mood is not Mood.ACCEPT:
            return str(self.mood.value)

        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        message["X-Recipients"] = ", ".join(envelope.rcpt_tos)
        with self._arrival:
            self.messages.append(message)
            self._arrival.notify_all()
        return "250 OK"

    async def serve(self, started: threading.Event) -> None:
        """Listen until `stop`."""
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: SMTP(self, hostname="localhost", loop=self._loop), self.host, self.port
        )
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._end.wait()
        server.close()

    def stop(self) -> None:
        assert self._end is not None
        self._loop.call_soon_threadsafe(self._end.set)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server."""
    server, started = MailServer(), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(server.serve(started),), daemon=True)
    thread.start()
    assert started.wait(_PATIENCE)
    try:
        yield server
    finally:
        server.stop()
        thread.join(_PATIENCE)


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    """A mail server for one test."""
    with mail_server() as server:
        yield server
