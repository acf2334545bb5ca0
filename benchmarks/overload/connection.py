"""One connection to the server: a request goes out, an answer comes in, and nothing ever waits."""

import re
import select
import socket
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_PIECE = 256 * 1024
_STATUS = slice(9, 12)
"""Where it stands in `HTTP/1.1 200 OK`."""


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The first one of this name."""
        found = self.headers(name)
        return found[0] if found else None

    def headers(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines)
        return [value.strip() for key, _, value in pairs if key.lower() == name]


class Connection:
    """A socket that is watched by `poll`. Raises OSError when it breaks under a request."""

    def __init__(self, port: int, poll: select.epoll) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(("127.0.0.1", port))
        self.number = self.socket.fileno()
        self._poll = poll
        self._unsent = b""
        self._arrived = b""
        poll.register(self.number, select.EPOLLIN)

    def send(self, request: bytes) -> None:
        self._arrived = b""
        self._unsent = request
        self._send_on()

    def on_event(self, event: int) -> Answer | None:
        """The answer, once all of it is there."""
        if event & select.EPOLLOUT:
            self._send_on()
        if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            return self._receive()
        return None

    def close(self) -> None:
        self._poll.unregister(self.number)
        self.socket.close()

    def _send_on(self) -> None:
        try:
            sent = self.socket.send(self._unsent)
        except BlockingIOError:  # not connected yet, or full
            sent = 0
        had_to_wait = bool(self._unsent[sent:])
        self._unsent = self._unsent[sent:]
        wanted = select.EPOLLIN | (select.EPOLLOUT if had_to_wait else 0)
        self._poll.modify(self.number, wanted)

    def _receive(self) -> Answer | None:
        try:
            piece = self.socket.recv(_PIECE)
        except BlockingIOError:
            return None
        if not piece:
            raise ConnectionResetError("closed before its answer")
        self._arrived += piece
        head, end, body = self._arrived.partition(b"\r\n\r\n")
        if not end:
            return None
        length = _LENGTH.search(head)
        if length is None:
            raise ConnectionError("an answer without a length")
        if len(body) < int(length[1]):
            return None
        return Answer(int(head[_STATUS]), head, body)


def closes(answer: Answer) -> bool:
    """Whether this was the last one on its connection (RFC 9112 §9.3)."""
    return answer.head.startswith(b"HTTP/1.0 ") or _CLOSES.search(answer.head) is not None
