"""A server that is told to end, and load balancers that watch it."""

import os
import re
import signal
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx2
import pytest

pytestmark = pytest.mark.slow
LIVE = b"HEAD /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
WATCHED = ("/health/startup", "/health/ready")
ANSWERED = ("/health/live", "/health/startup", "/.well-known/openid-configuration")
REFUSED = ("/nowhere", "/token")
PATIENCE = 60.0


def test_a_server_that_drains_is_not_ready_but_answers_for_the_last_time_on_each_connection(
    deploy_sqlite,
):
    deployment = deploy_sqlite(workers=1, drain_time="15s", head_timeout="60s")
    process, place = deployment.server.process, urlsplit(deployment.issuer)
    before = {path: asked(deployment, path) for path in WATCHED}
    style = re.findall(r"/static/[^\"]+", asked(deployment, "/login").text)[0]
    with ExitStack() as stack:
        idle, late, slow = (
            stack.enter_context(socket.create_connection((place.hostname, place.port), PATIENCE))
            for _ in range(3)
        )
        for connection in (idle, late, slow):
            connection.sendall(LIVE)
            assert b"connection: close" not in connection.recv(65536)

        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 15
        while (ready := asked(deployment, "/health/ready")).status_code == 200:
            assert time.monotonic() < deadline
        meanwhile = {path: asked(deployment, path) for path in (*ANSWERED, *REFUSED, style)}
        late.sendall(LIVE)
        told_late = read_to_the_end(late)
        slow.sendall(LIVE[:20])
        end_of_idle = idle.recv(65536)  # now it listens no more
        slow.sendall(LIVE[20:])
        told_slow = read_to_the_end(slow)

    assert {answer.status_code for answer in before.values()} == {200}
    assert {answer.headers.get("connection") for answer in before.values()} == {None}
    assert (ready.status_code, ready.json()) == (503, {"status": "down"})
    assert {meanwhile[path].status_code for path in (*ANSWERED, style)} == {200}
    assert {answer.headers.get("connection") for answer in (ready, *meanwhile.values())} == {
        "close"
    }
    assert end_of_idle == b""
    for told in (told_late, told_slow):
        assert told.startswith(b"HTTP/1.1 200 "), told
        assert b"connection: close" in told
    assert process.wait(PATIENCE) == 0


def test_when_it_has_drained_nobody_is_let_in_to_wait_for_what_is_still_answered(deploy_sqlite):
    deployment = deploy_sqlite(workers=2, drain_time="3s")
    process, place = deployment.server.process, urlsplit(deployment.issuer)
    with socket.create_connection((place.hostname, place.port), PATIENCE) as held:
        held.sendall(LIVE[:20])

        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        while is_let_in(place):
            time.sleep(0.05)
        drained = time.monotonic() - began
        lived = process.poll() is None
        held.sendall(LIVE[20:])
        told = read_to_the_end(held)

    assert drained > 2.9
    assert lived
    assert told.startswith(b"HTTP/1.1 200 "), told
    assert process.wait(PATIENCE) == 0


def is_let_in(place):
    """Whether somebody listens; who is let in gets an answer or an end, before the time is up."""
    try:
        with socket.create_connection((place.hostname, place.port), PATIENCE) as connection:
            connection.sendall(LIVE)
            connection.recv(65536)
    except ConnectionRefusedError:
        return False
    except ConnectionError:
        pass
    return True


def asked(deployment, path):
    return httpx2.get(deployment.issuer + path, timeout=PATIENCE)


def read_to_the_end(connection):
    text = b""
    while part := connection.recv(65536):
        text += part
    return text


def test_a_signal_to_every_process_at_once_is_one_signal(deploy_sqlite):
    deployment = deploy_sqlite(workers=2, drain_time="3s")
    process, place = deployment.server.process, urlsplit(deployment.issuer)
    began = time.monotonic()

    for told in (*deployment.workers(), process.pid):
        os.kill(told, signal.SIGTERM)  # as systemd does
    while is_let_in(place):
        time.sleep(0.05)

    assert time.monotonic() - began > 2.9
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_the_draining(deploy_sqlite, workers):
    deployment = deploy_sqlite(workers=workers, drain_time="5m")
    process = deployment.server.process

    process.send_signal(signal.SIGTERM)
    while httpx2.get(f"{deployment.issuer}/health/ready", timeout=PATIENCE).status_code == 200:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE) == 0


def test_before_it_was_ready_once_a_node_has_not_started(start_site):
    site = start_site()  # its clock is months behind that of its database

    before = site.http.get("/health/startup")
    site.clock.advance(time.time() - site.clock.now.timestamp())
    after = site.http.get("/health/startup")
    site.clock.advance(60)
    later = site.http.get("/health/startup")

    assert (before.status_code, after.status_code, later.status_code) == (503, 200, 200)
    assert site.http.get("/health/ready").status_code == 503
