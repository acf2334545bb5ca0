"""A server that is told to end, and load balancers that watch it."""

import signal
import time

import httpx2
import pytest

pytestmark = pytest.mark.slow


def test_a_server_that_drains_is_not_ready_but_answers_until_it_ends(deploy_sqlite):
    deployment = deploy_sqlite(workers=1, drain_time="3s")
    issuer, process = deployment.issuer, deployment.server.process
    started = httpx2.get(f"{issuer}/health/startup")
    ready = httpx2.get(f"{issuer}/health/ready")

    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 2
    while (draining := httpx2.get(f"{issuer}/health/ready")).status_code == 200:
        assert time.monotonic() < deadline
    live = httpx2.get(f"{issuer}/health/live")
    startup = httpx2.get(f"{issuer}/health/startup")
    discovery = httpx2.get(f"{issuer}/.well-known/openid-configuration")

    assert (started.status_code, ready.status_code) == (200, 200)
    assert (draining.status_code, draining.json()) == (503, {"status": "down"})
    assert (live.status_code, startup.status_code, discovery.status_code) == (200, 200, 200)
    assert process.wait(20) == 0


def test_a_second_signal_ends_the_draining(deploy_sqlite):
    deployment = deploy_sqlite(workers=1, drain_time="5m")
    process = deployment.server.process

    process.send_signal(signal.SIGTERM)
    while httpx2.get(f"{deployment.issuer}/health/ready").status_code == 200:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0


def test_before_it_was_ready_once_a_node_has_not_started(start_site):
    site = start_site()  # its clock is months behind that of its database

    before = site.http.get("/health/startup")
    site.clock.advance(time.time() - site.clock.now.timestamp())
    after = site.http.get("/health/startup")
    site.clock.advance(60)
    later = site.http.get("/health/startup")

    assert (before.status_code, after.status_code, later.status_code) == (503, 200, 200)
    assert site.http.get("/health/ready").status_code == 503
