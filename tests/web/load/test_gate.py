"""A server with too much to do says so at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest

from oidc_server.security.jose import SigningKey
from tests.client_assertions import assertion_fields, claims_for, sign
from tests.factories import make_client
from tests.services.external_service import external_service
from tests.site import Site
from tests.wire import FORM, ask


def test_beyond_so_many_requests_at_once_the_next_are_told_to_come_back(
    start_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten requests wait for somebody else's keys; meanwhile nothing else is let in, but health."""
    site = start_site(issuer="http://localhost:8000", max_requests=10)
    key, release = SigningKey.generate("ES256"), Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        release.wait(20)
        handler.send_response(500)
        handler.end_headers()

    with external_service(slow) as other, ThreadPoolExecutor(10) as pool:
        app = make_client(
            site, "service", token_endpoint_auth_method="private_key_jwt", jwks_uri=other.url()
        )
        assertion = sign(key, claims_for(app.client_id, site.issuer, site.clock.now))
        fields = assertion_fields(assertion, grant_type="client_credentials")
        waiting = [pool.submit(site.http.post, "/token", data=fields) for _ in range(10)]
        deadline = time.monotonic() + 5
        while site.runtime.gate.inside < 10:
            assert time.monotonic() < deadline
            time.sleep(0.01)

        host = ("host", "localhost")
        page = ask(site, "GET", "/login", headers=(host,))
        machine = ask(site, "POST", "/token", headers=(host, FORM), body=b"grant_type=x")
        live = ask(site, "GET", "/health/live", headers=(host,))
        release.set()
        for one in waiting:
            one.result()

    assert (page.status, machine.status, live.status) == (503, 503, 200)
    assert int(page.header("retry-after") or "") > 0
    assert machine.header("content-type") == "application/json"
    assert site.runtime.gate.inside == 0
    assert ask(site, "GET", "/login", headers=(host,)).status == 200


def test_who_has_waited_too_long_for_a_turn_is_told_to_come_back(site: Site) -> None:
    late = site.runtime.settings.max_wait.total_seconds() + 1

    machine = ask(site, "POST", "/token", headers=(FORM,), body=b"grant_type=x", seconds_ago=late)
    page = ask(site, "GET", "/login", seconds_ago=late)
    live = ask(site, "GET", "/health/live", seconds_ago=late)
    in_time = ask(site, "GET", "/login")

    assert (machine.status, page.status) == (503, 503)
    for refused in (machine, page):
        assert int(refused.header("retry-after") or "") > 0
    assert b"temporarily_unavailable" in machine.body
    assert (live.status, in_time.status) == (200, 200)
