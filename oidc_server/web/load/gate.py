"""The gate that every request passes first: checks its `Host`, and limits how many are handled."""

from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Scope

from oidc_server.settings import Settings
from oidc_server.web.hosts import Hosts
from oidc_server.web.load import lateness

T = TypeVar("T")


class OverloadedError(Exception):
    """The server has too many requests to handle: come back in `retry_after` seconds."""

    retry_after = 2


class Gate:
    """Counts the requests that are being handled (`inside`), on the event loop.

    A request is inside `with gate:` until its response is made; sending it does not count.

    Requests beyond `OIDC_MAX_REQUESTS` are refused at once, which shortens the wait of the others.
    So are those that waited for the event loop for longer than `OIDC_MAX_WAIT`: it is overloaded,
    and a refusal costs less than an answer.
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

        Raise `OverloadedError` if there are too many requests with this one, or it waited too long.
        """
        self._hosts.check(scope)
        if self.inside > self._most or lateness.seconds_late(scope) > self._most_wait:
            raise OverloadedError

    async def outside(self, arriving: Awaitable[T]) -> T:
        """Wait for the body of a request, which does not count as being handled meanwhile.

        Otherwise a few slow senders could use up all places. Raises `OverloadedError` if there are
        too many requests when the body is complete.
        """
        self.inside -= 1
        try:
            arrived = await arriving
        finally:
            self.inside += 1
        if self.inside > self._most:
            raise OverloadedError
        return arrived
