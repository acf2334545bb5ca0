"""HTTP to addresses that clients chose, with limits on time, size and addresses.

It uses httpcore2, the engine of httpx2, which knows no cookies, redirects, proxies or
decompression, and lets us make the connection: a name is resolved once, all its addresses are
checked, and the socket is opened to a checked one, while the certificate and `Host` are those of
the name. So DNS rebinding has no effect.
"""

import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlencode

import httpcore2

from oidc_server import __version__
from oidc_server.observability import tracing
from oidc_server.outbound.addresses import (
    AddressPolicy,
    OutboundRefusedError,
    OutboundUnavailableError,
    Resolve,
    resolve,
    within,
)
from oidc_server.outbound.breaker import Breaker, BreakerOpenError
from oidc_server.settings import Settings

DEADLINE_SECONDS = 5.0
"""For the whole request, from resolving the name to the last byte."""
MAX_BODY = 65_536
"""Bytes of a response body; with headers and chunk framing twice as many may be read."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_MAX_HOSTS = 1000
_PORTS = {"https": 443, "http": 80}
_AGENT = f"oidc-server/{__version__}"


@dataclass(frozen=True)
class Answer:
    """A response. Redirects are not followed."""

    status: int
    content_type: str
    body: bytes


class HttpClient:
    """Sends HTTP requests, from any thread; each call blocks for `deadline` at most.

    `kind` is the label of metrics. `tls` and `resolver` are for tests; certificates are verified
    against the system's authorities, or those of `SSL_CERT_FILE`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tls: ssl.SSLContext | None = None,
        resolver: Resolve = resolve,
        deadline: float = DEADLINE_SECONDS,
        policy: AddressPolicy | None = None,
        max_body: int = MAX_BODY,
        kind: str = "http",
        breaker: Breaker | None = None,
    ) -> None:
        """With `breaker`, that one guards all that is asked; else each host has one."""
        self._settings = settings
        self._policy = policy or AddressPolicy(
            loopback=settings.is_loopback, allowed=settings.outbound_allow
        )
        self._max_body = max_body
        self._kind = kind
        self._tls = tls
        self._resolver = resolver
        self._deadline = deadline
        self._breaker_of_all = breaker
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()

    def get(
        self,
        url: str,
        *,
        accept: str = "application/json",
        headers: Mapping[str, str] = NO_HEADERS,
        self_registered: bool = False,
    ) -> Answer:
        """Fetch a document; raises `OutboundRefusedError`, `OutboundUnavailableError`.

        A response of 5xx or 429 counts as a failure, any other is returned. Failures at addresses
        that self-registered clients named do not open the breaker for others.
        """
        return self._ask("GET", url, {"Accept": accept, **headers}, b"", self_registered)

    def post(
        self,
        url: str,
        form: Mapping[str, str] | str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        self_registered: bool = False,
    ) -> Answer:
        """Send a form, or one that is encoded already; responses and errors as for `get`."""
        body = form if isinstance(form, str) else urlencode(form)
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
        headers = {**kind, **headers}
        return self._ask("POST", url, headers, body.encode("ascii"), self_registered)

    def check_url(self, url: str) -> None:
        """Raise `OutboundRefusedError` for an address that is not allowed."""
        self._policy.check_url(url)

    def _ask(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes,
        self_registered: bool,
    ) -> Answer:
        parts = self._policy.check_url(url)
        host = parts.netloc.lower()
        breaker = self._breaker(f"{host} (self-registered clients)" if self_registered else host)
        try:
            with breaker.guard():
                return self._exchange(method, parts, headers, body)
        except BreakerOpenError as error:
            raise OutboundUnavailableError("circuit breaker open", error.retry_after) from None

    def _exchange(
        self, method: str, parts: SplitResult, headers: dict[str, str], body: bytes
    ) -> Answer:
        deadline = time.monotonic() + self._deadline
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        found = within(deadline, self._resolver, host, port)
        addresses = self._policy.check_addresses(parts.scheme, found)
        headers = {
            "Host": parts.netloc,
            "User-Agent": _AGENT,
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
        }
        if method == "POST":
            headers["Content-Length"] = str(len(body))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        url = httpcore2.URL(scheme=parts.scheme, host=host, port=port, target=target)
        try:
            with (
                tracing.call(f"http {method}", host),
                httpcore2.ConnectionPool(
                    ssl_context=self._context(),
                    network_backend=_CheckedConnections(addresses, deadline, 2 * self._max_body),
                ) as pool,
                pool.stream(
                    method, url, headers=list(headers.items()), content=body or None
                ) as response,
            ):
                return _read(response, self._max_body)
        except (httpcore2.TimeoutException, httpcore2.NetworkError) as error:
            raise OutboundUnavailableError(type(error).__name__) from None
        except (httpcore2.ProtocolError, ValueError):
            raise OutboundUnavailableError("the answer is not HTTP") from None

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:  # it reads a hundred certificates: not before the first request
                self._tls = ssl.create_default_context()
            return self._tls

    def _breaker(self, name: str) -> Breaker:
        if self._breaker_of_all is not None:
            return self._breaker_of_all
        with self._lock:
            breaker = self._breakers.get(name)
            if breaker is None:
                if len(self._breakers) >= _MAX_HOSTS:
                    self._breakers.pop(next(iter(self._breakers))).retire()
                breaker = self._breakers[name] = Breaker.of(
                    self._settings, name, answers=(OutboundRefusedError,), kind=self._kind
                )
            return breaker


def _read(response: httpcore2.Response, max_body: int) -> Answer:
    """The response with its body; raises as soon as that is too long."""
    headers = {name.lower(): value for name, value in response.headers}
    if response.status >= 500 or response.status == 429:
        raise OutboundUnavailableError(f"answered {response.status}")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise OutboundRefusedError("the answer is compressed")
    body = bytearray()
    for part in response.iter_stream():
        body += part
        if len(body) > max_body:
            raise OutboundRefusedError("the answer is too long")
    return Answer(response.status, headers.get(b"content-type", b"").decode("latin-1"), bytes(body))


class _CheckedConnections(httpcore2.NetworkBackend):
    """Connects to the checked addresses, whatever name is given."""

    def __init__(self, addresses: tuple[str, ...], deadline: float, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._backend = httpcore2.SyncBackend()
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        del host, timeout
        failure: Exception = OutboundUnavailableError("the name has no address")
        for address in self._addresses:
            try:
                stream = self._backend.connect_tcp(
                    address, port, _remaining(self._deadline), local_address, socket_options
                )
            except httpcore2.ConnectError as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline, self._max_bytes)
        raise failure


class _TimedStream(httpcore2.NetworkStream):
    """A connection with a deadline for all its steps, and a maximum of bytes read."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float, max_bytes: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._left = max_bytes

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        data = self._stream.read(max_bytes, _remaining(self._deadline))
        self._left -= len(data)
        if self._left < 0:
            raise OutboundRefusedError("the answer is too long")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._stream.write(buffer, _remaining(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        del timeout
        secured = self._stream.start_tls(ssl_context, server_hostname, _remaining(self._deadline))
        return _TimedStream(secured, self._deadline, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout
    return left
