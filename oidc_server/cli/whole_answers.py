"""Answers that leave in one piece.

uvicorn writes head and body one after the other, and each costs a system call; and it reads every
header letter by letter. Ours are made in one place, `web/responses.py`, and are counted instead.
"""

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from oidc_server.web.responses import Header

CLOSE: Header = (b"connection", b"close")
"""Of the last answer on a connection."""


def head(status: int, headers: Sequence[Header]) -> bytes:
    """The status line, the headers and the empty line, as they are sent.

    Raises `ValueError` for a header that holds the end of a line (RFC 9110 §5.5): it would be two.
    """
    lines = [b": ".join(header) for header in headers]
    sent = STATUS_LINE[status] + b"\r\n".join([*lines, b"", b""])
    if not sent.count(b"\n") == sent.count(b"\r") == len(lines) + 2:
        raise ValueError("a header holds the end of a line")
    return sent


class WholeAnswer:
    """How the answer to one request can be sent at once; `cycle` is uvicorn's part of it."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: Any) -> None:
        self._cycle = cycle

    def __call__(self, status: int, headers: Sequence[Header], body: bytes) -> bool:
        """Send it; False if that cannot be now, and nothing has been sent.

        `headers` say how long the body is. Raises what `head` raises.
        """
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
            return False
        is_last = not cycle.keep_alive
        sent = head(status, [*cycle.default_headers, *headers, *([CLOSE] if is_last else [])])
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(sent + body)
        cycle.message_event.set()
        if is_last:
            cycle.transport.close()
        cycle.on_response()
        return True
