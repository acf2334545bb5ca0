"""What every request passes first: it has to be meant for us, and there has to be room for it."""

from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Scope

from oidc_server.settings import Settings
from oidc_server.web import lateness
from oidc_server.web.hosts import Hosts

T = TypeVar("T")


class OverloadedError(Exception):
    """More requests are in hand than may be: come back in `retry_after` seconds."""

    retry_after = 2


class Gate:
    """Counts requests on their way (`inside`), on the event loop.

    `with gate:` a request is in hand until its answer is made: how fast that is read is no matter.

    Beyond `OIDC_MAX_REQUESTS` of them, further ones are told to come back at once: who waits
    already is not helped by more who wait. So are those that the event loop came to only after
    `OIDC_MAX_WAIT`: it has more to do than it can, and a refusal takes it less than an answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._hosts = Hosts(settings)
        self._most = settings.max_requests
        self._most_wait = settings.max_wait.total_seconds()
        self.inside = 0

    def __enter__(self) -> None:
        self.inside += 1

    def __exit__(self, *_raised: object) -> None:
        self.inside -= 1

    def check(self, scope: Scope) -> None:
        """Raise `MisdirectedError` or `BadRequestError` for a `Host` that is not ours.

        Raise `OverloadedError` if there are too many requests, this one included, or it is late.
        """
        self._hosts.check(scope)
        if self.inside > self._most or lateness.seconds_late(scope) > self._most_wait:
            raise OverloadedError

    async def outside(self, arriving: Awaitable[T]) -> T:
        """Wait for what is still to arrive of a request: until then it takes nobody's place.

        Else a few senders that take their time would keep everybody else out. Raises
        `OverloadedError` if there are too many requests by then.
        """
        self.inside -= 1
        try:
            arrived = await arriving
        finally:
            self.inside += 1
        if self.inside > self._most:
            raise OverloadedError
        return arrived
