"""Documents that others publish and requests need, such as a `jwks_uri`: fetched and cached.

A request never waits for the network inside its transaction. It asks the cache; what is missing
there is raised as `FetchNeeded`, and the adapter (`web/endpoint.py`) rolls back, fetches the
document in a lane for that, and runs the request again. The cache then has the outcome, so a
request runs once more for each document that it needs.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from oidc_server.clock import Clock
from oidc_server.observability.logs import get_logger
from oidc_server.outbound.addresses import OutboundRefusedError, OutboundUnavailableError
from oidc_server.outbound.http import HttpClient

_log = get_logger(__name__)

RETRY_AFTER = timedelta(seconds=10)
"""Minimum time between two fetches of a document, so that nobody can make us flood a server."""
_MAX_DOCUMENTS = 1000
"""Of self-registered clients, and as many of all others."""
_Key = tuple[str, bool, str]


@dataclass(frozen=True)
class Purpose:
    """What a document is for; `parse` raises ValueError for a malformed body."""

    name: str
    accept: str
    lifetime: timedelta
    """How long it is used without being fetched again."""
    stale_lifetime: timedelta
    """How long it is used while its server cannot be reached."""
    parse: Callable[[bytes], Any]
    self_registered: bool = False
    """Whether a self-registered client named the address. Such fetches have a lane and
    circuit breakers of their own, so that slow or failing ones affect only each other."""

    def of_client(self, *, self_registered: bool) -> "Purpose":
        """The same document, of a client that registered itself or of another one."""
        return replace(self, self_registered=True) if self_registered else self

    def key(self, url: str) -> tuple[str, bool, str]:
        """The key in the cache."""
        return self.name, self.self_registered, url


class FetchNeeded(Exception):  # noqa: N818 - no error: it asks the adapter for a document
    """Raised to have the adapter fetch this document and run the request again."""

    def __init__(self, purpose: Purpose, url: str, store: "Documents") -> None:
        super().__init__(f"{purpose.name} is to be fetched")
        self.purpose = purpose
        self.url = url
        self._store = store

    @property
    def key(self) -> tuple[object, ...]:
        """The same for two requests that wait for one document."""
        return (*self.purpose.key(self.url), id(self._store))

    def fetch(self) -> None:
        """Fetch it and remember the outcome, whatever it is; blocks for seconds."""
        self._store.fetch(self.purpose, self.url)


@dataclass(frozen=True)
class _Fetched:
    """An entry of the cache: the last good document, and the outcome of the last fetch."""

    value: Any
    fetched_at: datetime | None
    attempted_at: datetime
    failure: Exception | None


class Documents:
    """The cache. Reading it never blocks; `fetch` does."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self.http = http
        self._clock = clock
        self._lock = threading.Lock()
        # Self-registered clients can name any number of addresses: they displace only each other's.
        self._fetched: dict[bool, dict[_Key, _Fetched]] = {True: {}, False: {}}

    def get(self, purpose: Purpose, url: str, now: datetime) -> Any:
        """The parsed document.

        Raises `FetchNeeded` if it has to be fetched first. If that has just failed, an older copy
        is returned; without one, it raises `OutboundUnavailableError`, or `OutboundRefusedError` if
        the response was not acceptable.
        """
        known = self._known(purpose, url)
        if known is None:
            raise FetchNeeded(purpose, url, self)
        if _within(known.fetched_at, now, purpose.lifetime):
            return known.value
        if not _within(known.attempted_at, now, RETRY_AFTER):
            raise FetchNeeded(purpose, url, self)
        if _within(known.fetched_at, now, purpose.stale_lifetime):
            return known.value
        raise known.failure or OutboundUnavailableError("it is too old")

    def renew(self, purpose: Purpose, url: str, now: datetime) -> None:
        """Raise `FetchNeeded` for a newer copy than `get` returned, unless one was just fetched."""
        known = self._known(purpose, url)
        if known is None or not _within(known.attempted_at, now, RETRY_AFTER):
            raise FetchNeeded(purpose, url, self)

    def fetch(self, purpose: Purpose, url: str) -> None:
        """Fetch one and remember the outcome, whatever it is; blocks for seconds."""
        value: Any = None
        failure: Exception | None = None
        try:
            value = self.ask(purpose, url)
        except (OutboundRefusedError, OutboundUnavailableError) as error:
            failure = error
        if failure is not None:
            _log.warning(
                "document could not be fetched",
                purpose=purpose.name,
                host=urlsplit(url).hostname,
                reason=str(failure),
            )
        self._remember(purpose, url, value, failure)

    def ask(self, purpose: Purpose, url: str) -> Any:
        """What its server answers now, parsed and not remembered; blocks for seconds.

        Raises `OutboundUnavailableError`, `OutboundRefusedError`.
        """
        answer = self.http.get(url, accept=purpose.accept, self_registered=purpose.self_registered)
        if answer.status != 200:
            raise OutboundRefusedError(f"answered {answer.status}")
        try:
            return purpose.parse(answer.body)
        except ValueError as error:
            raise OutboundRefusedError(str(error)) from None

    def _known(self, purpose: Purpose, url: str) -> _Fetched | None:
        return self._fetched[purpose.self_registered].get(purpose.key(url))

    def _remember(self, purpose: Purpose, url: str, value: Any, failure: Exception | None) -> None:
        key, now = purpose.key(url), self._clock()
        with self._lock:
            fetched = self._fetched[purpose.self_registered]
            before = fetched.pop(key, None)
            if failure is None:
                known = _Fetched(value, now, now, None)
            elif before is not None:
                known = _Fetched(before.value, before.fetched_at, now, failure)
            else:
                known = _Fetched(None, None, now, failure)
            while len(fetched) >= _MAX_DOCUMENTS:
                fetched.pop(next(iter(fetched)))
            fetched[key] = known


def _within(since: datetime | None, now: datetime, span: timedelta) -> bool:
    """Whether less than `span` has passed; not for a future time (the clock was set back)."""
    return since is not None and abs(now - since) < span
