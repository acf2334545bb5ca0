"""Responses that are too large for memory: made part by part while they are sent."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from starlette.types import Receive, Scope, Send

from oidc_server.database import ConflictError, DatabaseUnavailableError
from oidc_server.observability.logs import get_logger
from oidc_server.web.load.gate import OverloadedError
from oidc_server.web.load.lanes import Lane
from oidc_server.web.responses import FOR_PROGRAMS, Header, Response

_log = get_logger(__name__)

_BREAKS_OFF = (TimeoutError, DatabaseUnavailableError, ConflictError, OverloadedError)


class Streamed(Response):
    """An answer whose parts `next_part` makes, each with a transaction of its own, until None.

    It is called again, for the same part, when the database was busy. So it is no generator: those
    are over once they have raised.

    Between two parts nothing is held, so a slow reader costs only memory for one of them. What
    breaks off, or takes longer than `time_limit`, ends without its last chunk: the reader sees that
    it is not whole.
    """

    __slots__ = ("_lane", "_next_part", "_time_limit")

    def __init__(
        self,
        headers: Iterable[Header],
        next_part: Callable[[], bytes | None],
        lane: Lane,
        time_limit: timedelta,
    ) -> None:
        super().__init__(200, FOR_PROGRAMS)
        self.headers = list(headers)
        self._next_part = next_part
        self._lane = lane
        self._time_limit = time_limit

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [*self.kind.headers, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        try:
            if scope["method"] != "HEAD":
                await self._send_parts(send)
        except _BREAKS_OFF as error:
            _log.warning("response broken off", reason=type(error).__name__)
            return
        await send({"type": "http.response.body", "body": b""})

    async def _send_parts(self, send: Send) -> None:
        async with asyncio.timeout(self._time_limit.total_seconds()):
            while (part := await self._lane.run(self._next_part, "read")) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
