"""A faster way around uvicorn's ASGI messages: a whole body in, a whole response out.

uvicorn hands a body over with an event, even if it came together with its head. It writes head and
body of a response with a system call each, and checks every header with a regular expression. Our
headers are made in one place, `web/responses.py`, so here only their line ends are counted.
"""

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from oidc_server.web.responses import Header

CLOSE: Header = (b"connection", b"close")
"""Header of the last response on a connection."""


def head(status: int, lines: bytes, headers: Sequence[Header]) -> bytes:
    """The status line, the headers and the empty line, as bytes.

    `lines` are headers that are encoded already. Raises `ValueError` if one of `headers` holds CR
    or LF (RFC 9110 §5.5), which would make it two.
    """
    own = b"\r\n".join([*map(b": ".join, headers), b"", b""])
    if not own.count(b"\n") == own.count(b"\r") == len(headers) + 1:
        raise ValueError("a header holds CR or LF")
    return STATUS_LINE[status] + lines + own


class InOnePiece:
    """Body and response of one request; `cycle` is uvicorn's `RequestResponseCycle`.

    `connection` closes itself after the last response, by its `close_after`.
    """

    __slots__ = ("_connection", "_cycle")

    def __init__(self, cycle: Any, connection: Any) -> None:
        self._cycle = cycle
        self._connection = connection

    def body(self) -> bytes | None:
        """The body of the request if all of it has arrived, else None."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected:
            return None
        return bytes(cycle.body)

    def __call__(self, status: int, lines: bytes, headers: Sequence[Header], body: bytes) -> bool:
        """Send the response; False if that is not possible now, and nothing was sent.

        `headers` must hold its length. Raises `ValueError` as `head` does.
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
            self._connection.close_after(cycle)
        cycle.on_response()
        return True
