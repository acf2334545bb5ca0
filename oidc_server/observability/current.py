"""The current request, for the log: kept in a context variable, on whichever thread it runs.

Its ids are those that the caller sent, if they are well formed, and new ones otherwise.
"""

import random
import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Short, and harmless in logs, headers and pages."""
_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16


class Request:
    """What is logged with every line about a request."""

    __slots__ = (
        "began",
        "client_id",
        "parent_id",
        "request_id",
        "route",
        "sampled",
        "span",
        "span_id",
        "trace_id",
        "user_id",
    )

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], route: str) -> None:
        """Read `X-Request-ID` and `traceparent` (Trace Context §3.2); make what is missing."""
        self.began = time.perf_counter()
        self.route = route
        self.client_id: str | None = None
        self.user_id: str | None = None
        self.span: Any = None
        sent_id: bytes | None = None
        parents: list[bytes] = []
        for name, value in headers:
            if name == b"x-request-id":
                sent_id = value
            elif name == b"traceparent":
                parents.append(value)
        fresh = _ids.randbytes(32).hex()
        if sent_id is not None and _REQUEST_ID.fullmatch(sent_id):
            self.request_id = sent_id.decode("ascii")
        else:
            self.request_id = fresh[48:]
        parent = _read_parent(parents[0]) if len(parents) == 1 else None
        self.span_id = fresh[32:48]
        self.trace_id, self.sampled = fresh[:32], False
        self.parent_id: str | None = None
        if parent is not None:
            self.trace_id, self.parent_id, self.sampled = parent

    @property
    def traceparent(self) -> str:
        """The header that continues the trace (Trace Context §3.2)."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def _read_parent(value: bytes) -> tuple[str, str, bool] | None:
    """Trace, span and whether it is sampled; None for what Trace Context §3.2.2 calls invalid.

    A version that is not known yet is read as far as it says the same (§4.3).
    """
    found = _TRACEPARENT.fullmatch(value)
    if found is None or found[1] == b"ff" or found[2] == _NO_TRACE or found[3] == _NO_SPAN:
        return None
    if found[1] == b"00" and found[5] is not None:
        return None
    return found[2].decode("ascii"), found[3].decode("ascii"), bool(int(found[4], 16) & 1)


_ids = random.Random()  # noqa: S311 - they tell requests apart, and open nothing
_current: ContextVar[Request | None] = ContextVar("request", default=None)


def begin(headers: Iterable[tuple[bytes, bytes]], route: str) -> Request:
    """Set the current request of this task, and of the threads that work for it."""
    request = Request(headers, route)
    _current.set(request)
    return request


def request() -> Request | None:
    """The current request; None in a job or a command."""
    return _current.get()


def note(*, client_id: str | None = None, user_id: str | None = None) -> None:
    """Note who sends the request, for its line in the log: once they are authenticated.

    A browser sends it for a client that cannot be; that is noted once it is known to be registered.
    """
    found = _current.get()
    if found is None:
        return
    if client_id is not None:
        found.client_id = client_id
    if user_id is not None:
        found.user_id = user_id


def facts() -> dict[str, str]:
    """The fields of the current request for a line of the log; none without a request."""
    found = _current.get()
    return {} if found is None else {"request_id": found.request_id, "trace_id": found.trace_id}
