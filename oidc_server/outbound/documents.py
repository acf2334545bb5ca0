"""Documents that others publish and requests need: `jwks_uri`, `request_uri` and their like.

A request never waits for the network inside its transaction. It asks the store of this process;
what is missing there is raised as `FetchNeeded`, and the adapter (`web/endpoint.py`) rolls back,
fetches on threads made for waiting, and runs the request again. The store tells then what was
found, so a request is repeated once for each document that it needs.
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
"""So often one document is fetched at most: nobody can make us hammer a neighbour."""
_MAX_DOCUMENTS = 1000


@dataclass(frozen=True)
class Purpose:
    """What a document is fetched for; `parse` raises ValueError for a body that is not such."""

    name: str
    accept: str
    lifetime: timedelta
    """For so long it is taken as it is."""
    stale_lifetime: timedelta
    """For so long it serves on while its publisher cannot be reached."""
    parse: Callable[[bytes], Any]
    named_by_stranger: bool = False
    """Whether nobody answers for who named the address: a client that registered itself. Such
    fetches wait in a lane of their own, where slow ones hold up only each other, and those that
    fail are failures for each other only."""

    def named_by(self, *, stranger: bool) -> "Purpose":
        """The same document, of somebody who is a stranger or not."""
        return replace(self, named_by_stranger=True) if stranger else self

    def key(self, url: str) -> tuple[str, bool, str]:
        """What a document is known by."""
        return self.name, self.named_by_stranger, url


class FetchNeeded(Exception):  # noqa: N818 - no error: it asks the adapter for a document
    """The request can go on when this document was fetched."""

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
    """What is known of one address: the last good document, and how the last attempt ended."""

    value: Any
    fetched_at: datetime | None
    attempted_at: datetime
    failure: Exception | None


class Documents:
    """The store. Reading it never waits; `fetch` does."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self.http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._fetched: dict[tuple[str, bool, str], _Fetched] = {}

    def get(self, purpose: Purpose, url: str, now: datetime) -> Any:
        """The parsed document.

        Raises `FetchNeeded` when it has to be fetched first. If that was tried just now and failed,
        an older copy serves; without one, `OutboundUnavailableError` or, when the neighbour's
        answer cannot be used, `OutboundRefusedError`.
        """
        known = self._fetched.get(purpose.key(url))
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
        """Ask for a newer copy, as the one that `get` gave does not serve.

        Raises `FetchNeeded`, but returns if the document was asked for a moment ago.
        """
        known = self._fetched.get(purpose.key(url))
        if known is None or not _within(known.attempted_at, now, RETRY_AFTER):
            raise FetchNeeded(purpose, url, self)

    def fetch(self, purpose: Purpose, url: str) -> None:
        """Fetch one and remember the outcome, whatever it is; blocks for seconds."""
        value: Any = None
        failure: Exception | None = None
        try:
            value = purpose.parse(self._body(purpose, url))
        except ValueError as error:
            failure = OutboundRefusedError(str(error))
        except (OutboundRefusedError, OutboundUnavailableError) as error:
            failure = error
        if failure is not None:
            _log.warning(
                "document could not be fetched",
                purpose=purpose.name,
                host=urlsplit(url).hostname,
                reason=str(failure),
            )
        self._remember(purpose.key(url), value, failure)

    def _body(self, purpose: Purpose, url: str) -> bytes:
        answer = self.http.get(
            url, accept=purpose.accept, named_by_stranger=purpose.named_by_stranger
        )
        if answer.status != 200:
            raise OutboundRefusedError(f"answered {answer.status}")
        return answer.body

    def _remember(self, key: tuple[str, bool, str], value: Any, failure: Exception | None) -> None:
        now = self._clock()
        with self._lock:
            before = self._fetched.pop(key, None)
            if failure is None:
                known = _Fetched(value, now, now, None)
            elif before is not None:
                known = _Fetched(before.value, before.fetched_at, now, failure)
            else:
                known = _Fetched(None, None, now, failure)
            while len(self._fetched) >= _MAX_DOCUMENTS:
                self._fetched.pop(next(iter(self._fetched)))
            self._fetched[key] = known


def _within(since: datetime | None, now: datetime, span: timedelta) -> bool:
    """Not if it was in the future either, as the clock was set back: one would wait for that."""
    return since is not None and abs(now - since) < span
