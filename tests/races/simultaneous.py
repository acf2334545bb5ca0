"""Many requests at one moment: each on a connection of its own, and complete but for a byte."""

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from httpx2 import BasicAuth, Request, Response

from tests.browser import Browser, Page
from tests.factories import App
from tests.services.deployment import Deployment

_PATIENCE = 60.0
_TRIES = 100
_ACCEPTED = 0.1
"""Seconds until every connection is accepted, or known to be closed."""
_SETTLE = 0.2
"""Seconds until the workers have read all that there is, and wait for the rest."""


def at_once(deployment: Deployment, requests: Sequence[Request]) -> list[Response]:
    """Send all of them at the same moment, and return their answers in the same order.

    The connections are open and every request is there but for its last byte when the last bytes
    follow, so that what the server still has to do begins everywhere at once.
    """
    with ExitStack() as stack:
        connections = _connect_to_every_worker(deployment, len(requests))
        for connection in connections:
            stack.enter_context(connection)
        encoded = [_encode(request) for request in requests]
        for connection, data in zip(connections, encoded, strict=True):
            connection.sendall(data[:-1])
        time.sleep(_SETTLE)
        for connection, data in zip(connections, encoded, strict=True):
            connection.sendall(data[-1:])
        return [_read(connection) for connection in connections]


@contextmanager
def connections_to_each_worker(
    deployment: Deployment, count: int
) -> Iterator[list[list[HTTPConnection]]]:
    """For each worker `count` connections that stay with it, as long as they are in use."""
    found: list[list[HTTPConnection]] = [[] for _ in deployment.workers()]
    try:
        _fill(deployment, count, found)
        yield found
    finally:
        for connection in chain(*found):
            connection.close()


def _fill(deployment: Deployment, count: int, found: list[list[HTTPConnection]]) -> None:
    """While the others stand still, there is one worker that can accept and answer."""
    workers = deployment.workers()
    for worker, mine in zip(workers, found, strict=True):
        others = [other for other in workers if other != worker]
        try:
            for other in others:
                os.kill(other, signal.SIGSTOP)
            for _ in range(count):
                speaking = HTTPConnection("localhost")
                speaking.sock, speaking.auto_open = _connect(deployment), 0
                mine.append(speaking)
                speaking.request("GET", "/health/live")
                speaking.getresponse().read()
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)


def token_request(deployment: Deployment, app: App, path: str = "/token", **form: str) -> Request:
    """A request of a confidential client, not sent yet."""
    assert app.client_secret is not None
    request = deployment.http.build_request("POST", path, data=form)
    return next(BasicAuth(app.client_id, app.client_secret).auth_flow(request))


def form_request(browser: Browser, page: Response, **fields: str) -> Request:
    """The form of a page, filled in and not sent yet."""
    shown = Page(page)
    return browser.client.build_request(
        "POST",
        shown.action(),
        data={**shown.hidden(), **fields},
        headers={"origin": browser.issuer, "sec-fetch-site": "same-origin"},
    )


def _connect_to_every_worker(deployment: Deployment, count: int) -> list[socket.socket]:
    """Open connections until each worker has accepted a fifth of them: they decide who does."""
    workers = deployment.workers()
    for _ in range(_TRIES):
        before = [_open_sockets(worker) for worker in workers]
        connections = [_connect(deployment) for _ in range(count)]
        time.sleep(_ACCEPTED)
        after = [_open_sockets(worker) for worker in workers]
        shares = [now - then for now, then in zip(after, before, strict=True)]
        if all(share >= max(1, count // 5) for share in shares):
            return connections
        for connection in connections:
            connection.close()
        time.sleep(_ACCEPTED)
    raise AssertionError(f"one worker accepts everything, {_TRIES} times")


def _open_sockets(process: int) -> int:
    targets = []
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            targets.append(str(descriptor.readlink()))
    return sum(target.startswith("socket:") for target in targets)


def _connect(deployment: Deployment) -> socket.socket:
    address = urlsplit(deployment.server.base_url)
    connection = socket.create_connection((address.hostname, address.port), timeout=_PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _encode(request: Request) -> bytes:
    target = request.url.raw_path
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), target)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    return b"\r\n".join([*lines, b"", request.read()])


def _read(connection: socket.socket) -> Response:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return Response(answer.status, headers=answer.getheaders(), content=answer.read())
