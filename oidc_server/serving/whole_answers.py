"""Requests that have come, and answers that leave, in one piece.

uvicorn hands a body over with an event, also one that came together with its head. It writes head
and body of an answer one after the other, and each costs a system call; and it reads every header
letter by letter. Ours are made in one place, `web/responses.py`, and are counted instead.
"""

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from oidc_server.web.responses import Header

CLOSE: Header = (b"connection", b"close")
"""Of the last answer on a connection."""


def head(status: int, lines: bytes, headers: Sequence[Header]) -> bytes:
    """The status line, the headers and the empty line, as they are sent.

    `lines` are those of the kind of the answer. Raises `ValueError` for one of `headers` that holds
    the end of a line (RFC 9110 §5.5): it would be two.
    """
    own = b"\r\n".join([*map(b": ".join, headers), b"", b""])
    if not own.count(b"\n") == own.count(b"\r") == len(headers) + 1:
        raise ValueError("a header holds the end of a line")
    return STATUS_LINE[status] + lines + own


class InOnePiece:
    """How one request can be read, and answered, at once; `cycle` is uvicorn's part of it."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: Any) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        """The body of the request, if all of it is there."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected:
            return None
        return bytes(cycle.body)

    def __call__(self, status: int, lines: bytes, headers: Sequence[Header], body: bytes) -> bool:
        """Send it; False if that cannot be now, and nothing has been sent.

        `headers` say how long the body is. Further, and what is raised: as `head` has it.
        """
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
            return False
        is_last = not cycle.keep_alive
        further = [*headers, CLOSE] if is_last else headers
        sent = head(status, lines, [*cycle.default_headers, *further])
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(sent + body)
        cycle.message_event.set()
        if is_last:
            cycle.transport.close()
        cycle.on_response()
        return True
