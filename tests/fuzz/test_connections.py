"""Bytes that are no HTTP, or hardly: the server answers or closes, and goes on answering others."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import strategies as st

from tests.fuzz.conftest import Feed
from tests.services.deployment import Deployment

pytestmark = pytest.mark.slow

_PATIENCE = 30.0
_FORM = b"content-type: application/x-www-form-urlencoded\r\n"
_POST = b"POST /token HTTP/1.1\r\nhost: id.example.com\r\n" + _FORM
_CHUNKED = _POST + b"transfer-encoding: chunked\r\n\r\n"
_GET = b"GET /.well-known/openid-configuration HTTP/1.1\r\n"

GARBAGE: dict[str, bytes] = {
    "nothing": b"",
    "ends of lines": b"\r\n" * 1000,
    "NUL": b"\0" * 1000,
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"\xaa" * 200,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.0": b"GET /jwks.json HTTP/1.0\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
    "no method": b" / HTTP/1.1\r\nhost: a\r\n\r\n",
    "no path": b"GET  HTTP/1.1\r\nhost: a\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    "authority": b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    "absolute": b"GET http://evil.example/token HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    "path without slash": b"GET token HTTP/1.1\r\nhost: a\r\n\r\n",
    "half an escape": b"GET /authorize?%f HTTP/1.1\r\nhost: a\r\n\r\n",
    "raw bytes in the path": b"GET /\xff\xfe\x80 HTTP/1.1\r\nhost: a\r\n\r\n",
    "escaped bytes in the path": b"GET /%ff%fe%00%0d%0a HTTP/1.1\r\nhost: a\r\n\r\n",
    "a long path": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    "a long query": b"GET /authorize?" + b"a" * 60_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    "no host": _GET + b"\r\n",
    "two hosts": _GET + b"host: a\r\nhost: evil.example\r\n\r\n",
    "a strange host": _GET + b"host: a b\"<>'@evil.example:99999\r\n\r\n",
    "a long header": _GET + b"x: " + b"a" * 200_000 + b"\r\n\r\n",
    "many headers": _GET + b"x: a\r\n" * 5000 + b"\r\n",
    "a folded header": _GET + b"host: a\r\n b\r\n\r\n",
    "a header without a name": _GET + b": a\r\n\r\n",
    "a name with a blank": _GET + b"host : a\r\n\r\n",
    "a bare CR": _GET + b"host: a\rb: c\r\n\r\n",
    "NUL in a header": _GET + b"host: a\0b\r\n\r\n",
    "a negative length": _POST + b"content-length: -1\r\n\r\na=b",
    "no number": _POST + b"content-length: many\r\n\r\na=b",
    "a huge length": _POST + b"content-length: 99999999999999999999999\r\n\r\na=b",
    "a large length": _POST + b"content-length: 9999999999\r\n\r\na=b",
    "two lengths": _POST + b"content-length: 3\r\ncontent-length: 30\r\n\r\na=b",
    "length and chunks": _POST
    + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a body cut short": _POST + b"content-length: 300\r\n\r\ngrant_type=",
    "a chunk that is no number": _CHUNKED + b"xyz\r\na=b\r\n0\r\n\r\n",
    "a negative chunk": _CHUNKED + b"-1\r\na=b\r\n0\r\n\r\n",
    "a huge chunk": _CHUNKED + b"ffffffffffffffff\r\na=b\r\n0\r\n\r\n",
    "a chunk cut short": _CHUNKED + b"ff\r\na=b",
    "chunks without end": _CHUNKED + b"1\r\na\r\n" * 200_000,
    "unknown coding": _POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a WebSocket": _GET + b"upgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "HTTP/2 on the way": _GET + b"upgrade: h2c\r\nconnection: upgrade\r\nhost: a\r\n\r\n",
    "a promise": _POST + b"content-length: 3\r\nexpect: 100-continue\r\n\r\na=b",
    "another expectation": _POST + b"content-length: 3\r\nexpect: coffee\r\n\r\na=b",
    "two requests": _GET + b"host: a\r\n\r\n" + _POST + b"content-length: 3\r\n\r\na=b",
    "a request in a request": _POST + b"content-length: 30\r\n\r\n" + _GET + b"host: a\r\n\r\n",
}


def test_any_bytes_on_a_connection_are_answered_or_the_connection_closes(
    deploy_sqlite: Callable[..., Deployment], feed: Feed
):
    deployment = deploy_sqlite(workers=1, log_level="debug")
    others = deployment.client()

    def send(data: bytes) -> None:
        statuses = exchanged(deployment, data)

        assert all(100 <= status < 500 for status in statuses), statuses
        assert others.get("/health/live").status_code == 200

    for data in GARBAGE.values():
        send(data)
    requests = st.builds(bytes_between, st.sampled_from(sorted(GARBAGE.values())), st.binary())
    feed(send, requests | st.binary(max_size=500), cases=60)
    assert "Traceback" not in deployment.server.logs()


def test_a_body_that_takes_its_time_holds_nobody_up(deploy_sqlite: Callable[..., Deployment]):
    deployment = deploy_sqlite(workers=1)
    slow = [connected(deployment) for _ in range(100)]
    for connection in slow:
        connection.sendall(_POST + b"content-length: 100\r\n\r\n")

    times = []
    for connection in slow[:20]:
        connection.sendall(b"a")
        begun = time.perf_counter()
        assert deployment.http.get("/jwks.json").status_code == 200
        times.append(time.perf_counter() - begun)

    assert sorted(times)[len(times) // 2] < 1
    for connection in slow:
        connection.close()


def test_a_request_without_end_holds_nobody_up(deploy_sqlite: Callable[..., Deployment]):
    deployment = deploy_sqlite(workers=1)
    letters, lines = b"a" * 60_000_000, b"x: y\r\n" * 10_000_000
    without_end = {
        "path": (b"GET /", letters),
        "header": (_GET + b"x: ", letters),
        "headers": (_GET, lines),
        "trailer": (_CHUNKED + b"0\r\nx: ", letters),
    }

    for beginning, rest in without_end.values():
        begun = time.perf_counter()
        with connected(deployment) as connection:
            connection.sendall(beginning)
            with pytest.raises(ConnectionError):
                connection.sendall(rest)
        answer = deployment.http.get("/jwks.json")

        assert answer.status_code == 200
        assert time.perf_counter() - begun < _PATIENCE


def test_no_address_is_made_from_what_a_request_says_of_the_host(
    deploy_sqlite: Callable[..., Deployment],
):
    deployment = deploy_sqlite(workers=1)
    others = b"x-forwarded-host: evil.example\r\nforwarded: host=evil.example\r\n"

    for line in (_GET, _GET.replace(b"GET /", b"GET http://evil.example/")):
        for hosts in (b"host: evil.example\r\n", b"host: a\r\nhost: evil.example\r\n"):
            answer = received(deployment, line + hosts + others + b"connection: close\r\n\r\n")

            assert b"evil.example" not in answer
            assert b" 400 " in answer or b" 421 " in answer


def bytes_between(data: bytes, more: bytes) -> bytes:
    """The same with something in its middle, and cut off some bytes later."""
    middle = len(data) // 2
    return data[:middle] + more + data[middle : middle + 2000]


def exchanged(deployment: Deployment, data: bytes) -> list[int]:
    """The statuses of everything that came back until the server closed, or had nothing to say."""
    answer = received(deployment, data)
    heads = [part for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]
    assert not answer or heads, answer[:200]
    return [int(head[:3]) for head in heads]


def received(deployment: Deployment, data: bytes) -> bytes:
    """Send, say that this was all, and read to the end."""
    parts: list[bytes] = []
    with connected(deployment) as connection, suppress(ConnectionError):
        with suppress(OSError):  # it may have closed already
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def connected(deployment: Deployment) -> socket.socket:
    where = urlsplit(deployment.issuer)
    assert where.hostname is not None
    return socket.create_connection((where.hostname, where.port or 80), timeout=_PATIENCE)
