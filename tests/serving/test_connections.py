"""Whoever sends slowly, or not at all, or opens too much, loses the connection and nobody else."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.services.deployment import Deployment, settings_for
from tests.services.ready_databases import ReadyDatabases
from tests.services.server import COMMAND, running_server

pytestmark = pytest.mark.slow
SECONDS = 1.0
PATIENCE = 60.0
SLACK = 7.0  # what is not set is waited for longer than both together
HEAD = b"POST /token HTTP/1.1\r\nhost: 127.0.0.1\r\n"
FORM = b"content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\n"
HEALTH = b"HEAD /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
SLOW = {
    "nothing": (b"", b"", b""),
    "half a head": (HEAD, b"", b"408"),
    "a head in drops": (HEAD + b"x: ", b"a", b"408"),
    "empty lines": (b"\r\n", b"\r\n", b"408"),
    "half a body": (HEAD + FORM + b"grant_type=", b"", b"408"),
    "a body in drops": (HEAD + FORM, b"a", b"408"),
}
NO_HTTP = b"\x16\x03\x01\x02\x00\x01\r\n\r\n"  # as TLS begins
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\nno length\r\n"
UNREAD = CHUNKED.replace(b"POST /token", b"GET /login")  # nobody waits for this body
NO_ADDRESS = b"GET http://localhost HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
BROKEN = {
    "at once": (NO_HTTP, [b"400"]),
    "after a request that is answered": (HEALTH + NO_HTTP, [b"200"]),
    "in the middle of a body": (CHUNKED, [b"400"]),
    "in a body that nobody waits for": (UNREAD, [b"400"]),
    "in the body after a request that is answered": (HEALTH + CHUNKED, [b"200"]),
    "in a body after several requests": (HEALTH + HEALTH + UNREAD, [b"200", b"200"]),
    "in the address after a request that is answered": (HEALTH + NO_ADDRESS, [b"200"]),
}


def test_what_does_not_arrive_in_time_is_given_up_and_full_is_full(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(
        workers=1,
        head_timeout="1s",
        body_timeout="1s",
        keep_alive_timeout="20s",
        max_connections="20",
        max_requests="2",
    )

    for name, (begins, goes_on, status) in SLOW.items():
        with connected(deployment) as connection:
            answer, waited = sent_slowly(connection, begins, goes_on)
        assert answer.startswith(b"HTTP/1.1 " + status if status else b""), (name, answer)
        assert bool(answer) == bool(status), (name, answer)
        assert (b"/problems/too-slow" in answer) == bool(status), (name, answer)
        assert SECONDS * 0.8 < waited < SECONDS + SLACK, (name, waited)

    with connected(deployment) as connection:  # between two requests there is time
        for _ in range(3):
            connection.sendall(HEALTH)
            assert b" 200 " in connection.recv(65536)
            time.sleep(SECONDS * 1.3)

    with ExitStack() as stack:  # bodies that do not come take the place of no request
        for _ in range(10):
            stack.enter_context(connected(deployment)).sendall(HEAD + FORM)
        time.sleep(0.2)
        with closing(deployment.client()) as client:  # its place is needed
            assert client.get("/jwks.json").status_code == 200

    held = [taken(deployment) for _ in range(20)]
    with connected(deployment) as connection:
        for part in (HEAD, FORM):  # what is still sent does not take the answer away
            connection.sendall(part)
            time.sleep(0.2)
        full = connection.recv(65536)
    for one in held:
        one.close()
    taken(deployment).close()
    assert full.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 2\r\n" in full
    assert b"/problems/unavailable" in full
    assert deployment.client().get("/jwks.json").status_code == 200
    assert "Traceback" not in deployment.server.logs()


def test_what_is_no_http_is_told_so_with_an_id_that_the_log_knows(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(workers=1)

    for name, (sent, statuses) in BROKEN.items():
        with connected(deployment) as connection:
            connection.sendall(sent)
            answers = read_to_the_end(connection)
        assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == statuses, (name, answers)
        if statuses == [b"400"]:
            head, _, body = answers.partition(b"\r\n\r\n")
            told = json.loads(body)
            assert b"\r\ncontent-type: application/problem+json\r\n" in head
            assert f"\r\nx-request-id: {told['reference']}\r\n".encode() in head
            assert told["type"] == f"{deployment.issuer}/problems/invalid-request"
            lines = [line for line in deployment.server.logs().splitlines() if line[0] == "{"]
            [line] = [line for line in map(json.loads, lines) if is_about(line, told["reference"])]
            assert (line["route"], line["status"], line["method"]) == ("unknown", 400, "other")
    assert "Traceback" not in deployment.server.logs()


def test_answers_stay_in_order_and_end_where_they_say(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(workers=1)
    body = b"GET /jwks.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    old = b"GET /jwks.json HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n"
    waits = FORM.replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n")

    with connected(deployment) as connection:
        connection.sendall(body + HEALTH + body + old)
        answers = read_to_the_end(connection)
    with connected(deployment) as connection:
        connection.sendall(HEAD + waits)
        goes_on = connection.recv(65536)
        connection.sendall(b"x" * 100)
        refused = connection.recv(65536)

    first, head_only, third, last = re.split(rb"(?=HTTP/1\.1 )", answers)[1:]
    assert [len(one.partition(b"\r\n\r\n")[2]) for one in (first, third, last)] == [
        int(re.findall(rb"content-length: (\d+)", one)[0]) for one in (first, third, last)
    ]
    assert head_only.endswith(b"\r\n\r\n")
    assert b"\r\ndate: " in first
    assert [b"\r\nconnection: close\r\n" in one for one in (first, third, last)] == [
        False,
        False,
        True,
    ]
    assert goes_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert refused.startswith(b"HTTP/1.1 4")


def test_a_body_that_comes_together_with_its_head_is_no_part_of_it(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(workers=1)
    answers = {}
    for size in (65_000, 65_536, 100_000):
        with connected(deployment) as connection:
            body = b"grant_type=" + b"x" * (size - 11)
            head = FORM.replace(b"100", str(size).encode())
            connection.sendall(HEAD + head + body + HEALTH)
            answers[size] = connection.recv(65536)

    assert [answer[9:12] for answer in answers.values()] == [b"400", b"400", b"413"], answers
    assert all(b"unsupported_grant_type" in answers[size] for size in (65_000, 65_536))
    assert b"invalid_request" in answers[100_000]


def test_a_head_has_as_much_room_on_a_connection_that_is_kept_as_on_a_new_one(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(workers=1)

    statuses = {}
    for before in (b"", HEALTH):
        for size in (60_000, 70_000, 200_000):
            with connected(deployment) as connection:
                if before:
                    connection.sendall(before)
                    connection.recv(65536)
                connection.sendall(
                    HEALTH.replace(b"\r\n\r\n", b"\r\nx: " + b"x" * size + b"\r\n\r\n")
                )
                statuses[before, size] = connection.recv(65536)[9:12]

    assert list(statuses.values()) == [b"200", b"400", b"400"] * 2


def test_the_rest_of_a_body_that_was_refused_is_no_request(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    """A proxy would take an answer to it for that to what it sends next on the connection."""
    deployment = deploy_sqlite(workers=1)

    with connected(deployment) as connection:
        connection.sendall(HEAD + FORM.replace(b"100", b"200000"))
        refused = connection.recv(65536)
        for _ in range(4):
            connection.sendall(b"x" * 50_000)
            time.sleep(0.1)
        connection.sendall(HEALTH)
        next_answer = connection.recv(65536)

    assert refused.startswith(b"HTTP/1.1 413 ")
    assert next_answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("last", [b"", b"connection: close\r\n"])
def test_who_sends_too_much_sees_why_also_on_a_connection_that_is_closed(
    deploy_sqlite: Callable[..., Deployment], last: bytes
) -> None:
    """A proxy that sends everything first would be cut off, and make an error of its own of it."""
    deployment = deploy_sqlite(workers=1)

    with connected(deployment) as connection:
        connection.sendall(HEAD + last + FORM.replace(b"100", b"2000000"))
        for _ in range(40):
            connection.sendall(b"x" * 50_000)
            time.sleep(0.001)
        refused = connection.recv(65536)
        connection.sendall(HEALTH)
        follows = connection.recv(65536)

    assert refused.startswith(b"HTTP/1.1 413 ")
    assert follows[:13] == (b"" if last else b"HTTP/1.1 200 ")


def test_an_offer_to_speak_something_else_is_left_aside_and_is_the_last_request(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    """Whoever offered it may speak it from then on."""
    deployment = deploy_sqlite(workers=1)
    offer = b"\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"

    with connected(deployment) as connection:
        connection.sendall(HEALTH.replace(b"\r\n\r\n", offer) + HEAD)
        connection.sendall(HEALTH)
        answers = read_until_cut_off(connection)  # what comes after the end resets it

    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"200"]
    assert b"\r\nconnection: close\r\n" in answers
    assert "pgrade" not in deployment.server.logs()


OFFER = HEAD + b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n"
FIELDS = b"grant_type=nothing"
WITH_LENGTH = FORM.replace(b"100", b"%d" % len(FIELDS)) + FIELDS
IN_CHUNKS = FORM.replace(b"content-length: 100", b"transfer-encoding: chunked") + b"".join(
    b"%x\r\n%s\r\n" % (len(part), part) for part in (FIELDS[:5], FIELDS[5:], b"")
)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (WITH_LENGTH, b"unsupported_grant_type"),
        (IN_CHUNKS, b"unsupported_grant_type"),
        (b"\r\n", b"invalid_request"),
        (b"content-length: 0\r\n\r\n", b"invalid_request"),
    ],
    ids=["length", "chunks", "no body", "an empty body"],
)
def test_the_body_of_a_request_that_offers_http2_is_read(
    deploy_sqlite: Callable[..., Deployment], form: bytes, error: bytes
) -> None:
    """As Java's client sends it, wherever there is no TLS."""
    deployment = deploy_sqlite(workers=1, body_timeout="2s")

    for size in (1, 40, 1000):
        with connected(deployment) as connection:
            whole = OFFER + form + (HEAD + WITH_LENGTH if size == 1000 else b"")
            for begin in range(0, len(whole), size):
                connection.sendall(whole[begin : begin + size])
            answer = read_until_cut_off(connection)

        assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"400"]
        assert b'"%s"' % error in answer
        assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("begin", [HEAD, OFFER], ids=["plain", "offers HTTP/2"])
def test_what_comes_after_a_body_is_no_header(
    deploy_sqlite: Callable[..., Deployment], begin: bytes
) -> None:
    """Proxies that write headers of their own pass on trailers that a client wrote."""
    deployment = deploy_sqlite(workers=1)
    kind, chunked = FORM.split(b"\r\n")[0], b"transfer-encoding: chunked\r\n"
    close = b"" if begin is OFFER else b"connection: close\r\n"

    with connected(deployment) as connection:
        connection.sendall(begin + close + chunked + b"\r\n3\r\na=b\r\n0\r\n" + kind + b"\r\n\r\n")
        answer = read_until_cut_off(connection)

    assert answer.startswith(b"HTTP/1.1 415 ")


def test_what_comes_after_a_body_takes_no_memory(deploy_sqlite: Callable[..., Deployment]) -> None:
    deployment = deploy_sqlite(workers=1)
    chunked = HEAD + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n"

    with connected(deployment) as connection:
        connection.sendall(HEALTH)
        connection.recv(65536)
        before = memory_of(deployment)
        connection.sendall(chunked + b"a:\r\n" * 2_000_000)
        time.sleep(SECONDS)
        meanwhile = memory_of(deployment)
        connection.sendall(b"\r\n")
        answer = read_until_cut_off(connection)

    assert meanwhile - before < 32
    assert answer.startswith(b"HTTP/1.1 400 ")


def memory_of(deployment: Deployment) -> int:
    """Of the server, in MiB."""
    status = Path(f"/proc/{deployment.server.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) // 1024


def test_who_reads_no_answers_keeps_nobody_out_and_is_let_go(
    deploy_sqlite: Callable[..., Deployment],
) -> None:
    deployment = deploy_sqlite(
        workers=1, body_timeout="2s", keep_alive_timeout="20s", max_requests="2"
    )
    large = b"GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"

    before = sockets_in(Path(f"/proc/{deployment.server.process.pid}/fd"))
    with ExitStack() as stack:
        greedy = [stack.enter_context(connected(deployment)) for _ in range(5)]
        for connection in greedy:
            connection.sendall(large * 100)  # 20 MB, more than systems keep for a reader
        time.sleep(SECONDS)
        asked = deployment.client().get("/jwks.json")
        wait_until_fewer(deployment, before + 1)  # that of whoever asked may be left
        read = [read_until_cut_off(connection) for connection in greedy]

    assert asked.status_code == 200
    assert all(text.count(b"HTTP/1.1 200 ") < 100 for text in read)
    assert "Traceback" not in deployment.server.logs()


def wait_until_fewer(deployment: Deployment, count: int) -> None:
    """Until the server has no more than so many sockets."""
    files = Path(f"/proc/{deployment.server.process.pid}/fd")
    deadline = time.monotonic() + PATIENCE
    while sockets_in(files) > count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def sockets_in(files: Path) -> int:
    found = 0
    for one in files.iterdir():
        with suppress(FileNotFoundError):
            found += str(one.readlink()).startswith("socket:")
    return found


def read_until_cut_off(connection: socket.socket) -> bytes:
    text = b""
    with suppress(ConnectionError):
        while part := connection.recv(1 << 20):
            text += part
    return text


def is_about(line: dict[str, str], reference: str) -> bool:
    return line.get("request_id") == reference


def read_to_the_end(connection: socket.socket) -> bytes:
    text = b""
    while part := connection.recv(65536):
        text += part
    return text


def test_the_server_lets_itself_open_what_it_needs_and_says_what_the_system_forbids(
    tmp_path: Path, ready_databases: ReadyDatabases, request: pytest.FixtureRequest
) -> None:
    limited = ("sh", "-c", 'ulimit -Sn 64; ulimit -Hn 300; exec "$@"', "sh", *COMMAND)
    with ready_databases.copy(request, "sqlite", tmp_path) as url:
        settings = settings_for(url, tmp_path)
        with running_server(tmp_path, settings, command=limited) as server:
            limits = Path(f"/proc/{server.process.pid}/limits").read_text().splitlines()
            logs = server.logs()

    opened = next(line for line in limits if line.startswith("Max open files"))
    assert opened.split()[3:5] == ["300", "300"]
    assert "A process may open 300 files, and OIDC_MAX_CONNECTIONS=4000 takes 4256" in logs


def sent_slowly(connection: socket.socket, begins: bytes, goes_on: bytes) -> tuple[bytes, float]:
    """Send a piece each fifth of a second until something comes back, or the end."""
    began = time.monotonic()
    connection.sendall(begins)
    connection.settimeout(0.2)
    while time.monotonic() - began < SECONDS + 2 * SLACK:
        try:
            return connection.recv(65536), time.monotonic() - began
        except TimeoutError:
            connection.sendall(goes_on)
        except ConnectionError:
            break
    return b"", time.monotonic() - began


def place(deployment: Deployment) -> tuple[str, int]:
    where = urlsplit(deployment.issuer)
    return where.hostname or "", where.port or 80


def taken(deployment: Deployment) -> socket.socket:
    """A connection that has been answered once, as soon as there is room for one more."""
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = socket.create_connection(place(deployment), timeout=PATIENCE)
        connection.sendall(HEALTH)
        if b" 200 " in connection.recv(65536):
            return connection
        connection.close()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def connected(deployment: Deployment) -> Iterator[socket.socket]:
    with socket.create_connection(place(deployment), timeout=PATIENCE) as connection:
        yield connection
