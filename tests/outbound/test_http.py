"""HTTP to addresses that others choose: where it goes, how long it takes, what it brings back."""

import socket
import threading
import time
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from oidc_server.outbound.addresses import (
    OutboundRefusedError,
    OutboundUnavailableError,
    is_public,
)
from oidc_server.outbound.http import MAX_BODY, HttpClient
from oidc_server.settings import load
from tests.services.external_service import certificate_for, external_service, saying

HERE = "http://localhost:8000"
PUBLIC = "https://id.example.com"
NAME = "app.example.net"


def client(issuer=HERE, *, allow="", failures=1000, **parts):
    settings = load(
        {
            "OIDC_ISSUER": issuer,
            "OIDC_SECRET_KEY": "s" * 32,
            "OIDC_BREAKER_FAILURES": str(failures),
            **({"OIDC_OUTBOUND_ALLOW": allow} if allow else {}),
        },
        None,
    )
    return HttpClient(settings, **parts)


class Resolver:
    def __init__(self, addresses):
        self.addresses = addresses
        self.asked = []

    def __call__(self, host, port):
        self.asked.append((host, port))
        return self.addresses


def resolving(*addresses):
    """A resolver that knows one answer, and counts how often it was asked."""
    return Resolver(addresses)


def test_a_document_is_fetched_with_its_status_and_type():
    with external_service(saying(b'{"keys":[]}', content_type="application/jwk-set+json")) as other:
        answer = client().get(other.url("/keys?v=1"))

    assert (answer.status, answer.content_type) == (200, "application/jwk-set+json")
    assert answer.body == b'{"keys":[]}'
    [(method, path, headers, _)] = other.asked
    assert (method, path) == ("GET", "/keys?v=1")
    assert headers["host"] == f"127.0.0.1:{other.port}"
    assert headers["user-agent"].startswith("oidc-server/")
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


def test_a_form_is_sent():
    with external_service(saying(b"", status=204)) as other:
        answer = client().post(other.url("/logout"), {"logout_token": "a b&c"})

    assert answer.status == 204
    [(method, _, headers, body)] = other.asked
    assert (method, body) == ("POST", b"logout_token=a+b%26c")
    assert headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.net/",
        "http://127.0.0.1/",
        "ftp://app.example.net/",
        "file:///etc/passwd",
        "gopher://app.example.net/",
        "https://user:password@app.example.net/",
        "https://app.example.net/#fragment",
        "https:///path",
        "https://",
        "https://app.example.net:99999/",
        "https://app.example.net\\@internal/",
        "https://[::1/",
        "https://app.example.net/\r\nX: y",
        "https://app.example.net/\u00e9",
        "https://app.example.net/" + "a" * 3000,
        "data:,x",
        "",
    ],
)
def test_what_is_not_plain_https_is_not_asked(url):
    resolver = resolving("203.0.113.1")

    with pytest.raises(OutboundRefusedError):
        client(PUBLIC, resolver=resolver).get(url)

    assert resolver.asked == []


INTERNAL = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "192.0.0.192",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "192.88.99.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:93.184.216.34",
    "::127.0.0.1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
]


@pytest.mark.parametrize("address", INTERNAL)
def test_a_name_with_any_address_that_is_not_public_is_not_asked(address):
    for addresses in ((address,), ("93.184.216.34", address), (address, "93.184.216.34")):
        with pytest.raises(OutboundRefusedError):
            client(PUBLIC, resolver=resolving(*addresses)).get(f"https://{NAME}/")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "localhost",
        "[::ffff:127.0.0.1]",
        "0",
    ],
)
def test_no_spelling_of_this_machine_is_asked(host):
    with external_service(saying(b"x")) as other:
        for asking in (client(PUBLIC), client(PUBLIC, allow="10.0.0.0/8")):
            with pytest.raises((OutboundRefusedError, OutboundUnavailableError)):
                asking.get(f"https://{host}:{other.port}/")

    assert other.asked == []


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111"])
def test_the_open_internet_is_public(address):
    assert is_public(ip_address(address))


def test_a_private_network_is_asked_when_the_operator_allows_it(tmp_path):
    shown, trusted = certificate_for(NAME, tmp_path)
    with external_service(saying(b"yes"), tls=shown) as other:
        url = f"https://{NAME}:{other.port}/"
        parts = {"resolver": resolving("127.0.0.1"), "tls": trusted}

        allowed = client(PUBLIC, allow="127.0.0.0/8", **parts).get(url)
        with pytest.raises(OutboundRefusedError):
            client(PUBLIC, allow="10.0.0.0/8", **parts).get(url)

    assert allowed.body == b"yes"


def test_plain_http_stays_refused_in_a_network_that_is_allowed():
    with external_service(saying(b"x")) as other, pytest.raises(OutboundRefusedError):
        client(PUBLIC, allow="127.0.0.0/8").get(other.url())

    assert other.asked == []


def test_in_development_plain_http_goes_to_this_machine_only():
    with pytest.raises(OutboundRefusedError):
        client(HERE, resolver=resolving("93.184.216.34")).get(f"http://{NAME}/")


def test_the_name_is_resolved_once_and_the_checked_address_is_connected(tmp_path):
    """A second answer that points inside (DNS rebinding) is never asked for."""
    shown, trusted = certificate_for(NAME, tmp_path)
    resolver = resolving("127.0.0.1")
    with external_service(saying(b"here"), tls=shown) as other:
        asking = client(PUBLIC, allow="127.0.0.1", resolver=resolver, tls=trusted)
        answer = asking.get(f"https://{NAME}:{other.port}/")

    assert answer.body == b"here"
    assert resolver.asked == [(NAME, other.port)]
    assert other.asked[0][2]["host"] == f"{NAME}:{other.port}"


def test_the_next_address_is_tried_when_one_does_not_answer(tmp_path):
    shown, trusted = certificate_for(NAME, tmp_path)
    with external_service(saying(b"second"), tls=shown) as other:
        resolver = resolving("127.0.0.2", "127.0.0.1")
        asking = client(PUBLIC, allow="127.0.0.0/8", resolver=resolver, tls=trusted)
        answer = asking.get(f"https://{NAME}:{other.port}/")

    assert answer.body == b"second"


def test_the_certificate_must_be_for_the_name(tmp_path):
    shown, trusted = certificate_for("other.example.net", tmp_path)
    with external_service(saying(b"x"), tls=shown) as other:
        asking = client(PUBLIC, allow="127.0.0.1", resolver=resolving("127.0.0.1"), tls=trusted)
        with pytest.raises(OutboundUnavailableError):
            asking.get(f"https://{NAME}:{other.port}/")

    assert other.asked == []


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path):
    shown, _ = certificate_for(NAME, tmp_path)
    with external_service(saying(b"x"), tls=shown) as other:
        asking = client(PUBLIC, allow="127.0.0.1", resolver=resolving("127.0.0.1"))
        with pytest.raises(OutboundUnavailableError):
            asking.get(f"https://{NAME}:{other.port}/")

    assert other.asked == []


def test_a_redirect_is_an_answer_and_is_not_followed():
    with external_service(saying(b"secret")) as internal:
        away = saying(b"", status=302, Location=internal.url("/inside"))
        with external_service(away) as other:
            answer = client().get(other.url())

    assert answer.status == 302
    assert internal.asked == []


def test_nothing_of_the_environment_leads_elsewhere(monkeypatch):
    with (
        external_service(saying(b"proxied")) as proxy,
        external_service(saying(b"direct")) as other,
    ):
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        answer = client().get(other.url())

    assert answer.body == b"direct"
    assert proxy.asked == []


def test_cookies_are_not_kept():
    with external_service(saying(b"", Set_Cookie="a=b")) as other:
        asking = client()
        asking.get(other.url())
        asking.get(other.url())

    assert all("cookie" not in headers for _, _, headers, _ in other.asked)


@contextmanager
def dripping(head: bytes, drop: bytes, pause: float):
    """A server below HTTP: says `head`, then `drop` again and again."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve():
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(head)
                while not over.wait(pause):
                    connection.sendall(drop)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    over.set()
    thread.join()
    listening.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (HEAD + b"Content-Length: 60000\r\n\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"X-Slow: ", b"x"),
        (b"", b"H"),
    ],
)
def test_a_slow_answer_ends_at_the_deadline(head, drop):
    began = time.monotonic()
    with dripping(head, drop, 0.05) as url, pytest.raises(OutboundUnavailableError):
        client(deadline=0.6).get(url)

    assert 0.5 < time.monotonic() - began < 10


def test_a_silent_server_and_a_silent_resolver_end_at_the_deadline():
    asked_long_enough = threading.Event()
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OutboundUnavailableError):
        client(deadline=0.3).get(f"http://127.0.0.1:{silent.getsockname()[1]}/")

    def sleepy(host, port):
        asked_long_enough.wait(20)
        return ("127.0.0.1",)

    with pytest.raises(OutboundUnavailableError):
        client(deadline=0.3, resolver=sleepy).get("http://localhost:1/")
    assert time.monotonic() - began < 10
    asked_long_enough.set()


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + b"x" * 0x4000 + b"\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
        (HEAD + b"\r\n", b"x" * 10_000),
        (HEAD + b"Content-Length: 1000000000\r\n\r\n", b"x" * 10_000),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    ],
)
def test_a_huge_answer_is_refused_while_it_comes(head, drop):
    began = time.monotonic()
    with dripping(head, drop, 0.0) as url, pytest.raises(OutboundRefusedError):
        client().get(url)

    assert time.monotonic() - began < 10


def test_the_longest_answer_is_taken_whole():
    with external_service(saying(b"x" * MAX_BODY)) as other:
        assert len(client().get(other.url()).body) == MAX_BODY

    with (
        external_service(saying(b"x" * (MAX_BODY + 1))) as other,
        pytest.raises(OutboundRefusedError),
    ):
        client().get(other.url())


def test_a_compressed_answer_is_refused():
    with (
        external_service(saying(b"\x1f\x8b", Content_Encoding="gzip")) as other,
        pytest.raises(OutboundRefusedError),
    ):
        client().get(other.url())


def test_what_is_not_http_is_a_failure():
    with dripping(b"220 mail ready\r\n", b"", 5) as url, pytest.raises(OutboundUnavailableError):
        client(deadline=1).get(url)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_host_that_fails_is_not_called_for_a_while(status):
    with (
        external_service(saying(b"", status=status)) as other,
        external_service(saying(b"ok")) as another,
    ):
        asking = client(failures=2)
        for _ in range(3):
            with pytest.raises(OutboundUnavailableError):
                asking.get(other.url())
        with pytest.raises(OutboundUnavailableError) as caught:
            asking.get(other.url())
        healthy = asking.get(another.url())

    assert len(other.asked) == 2
    assert caught.value.retry_after > 50
    assert healthy.body == b"ok"


def test_a_refusal_of_ours_does_not_count_as_a_failure_of_the_host():
    with external_service(saying(b"", Content_Encoding="gzip")) as other:
        asking = client(failures=1)
        for _ in range(3):
            with pytest.raises(OutboundRefusedError):
                asking.get(other.url())

    assert len(other.asked) == 3


def test_an_error_names_neither_query_nor_body():
    with (
        external_service(saying(b"token", status=500)) as other,
        pytest.raises(OutboundUnavailableError) as caught,
    ):
        client().get(other.url("/?secret=hidden"))

    assert "hidden" not in str(caught.value)
    assert "token" not in str(caught.value)
