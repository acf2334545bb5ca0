"""Scripts of a registered single-page application may read answers; nobody else's may."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from oidc_server.domain import clients
from tests.factories import make_client
from tests.relying_party import signed_in
from tests.services.databases import KINDS
from tests.site import Site
from tests.wire import FORM, Raw, ask

SPA = "https://app.example.net"
PATIENCE = 60.0
ENDPOINTS = ("/token", "/userinfo", "/revoke")
FOREIGN = (
    "https://evil.example.org",
    "https://app.example.net.evil.example.org",
    "https://evilapp.example.net",
    "https://app.example.net:8443",
    "http://app.example.net",
    "https://APP.example.net",
    "https://app.example.net/",
    "null",
    "*",
    "",
    "\u00e9",
)


def preflight(site: Site, path: str, origin: str) -> Raw:
    headers = (
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    )
    return ask(site, "OPTIONS", path, headers=headers)


def post(site: Site, path: str, origin: str, body: bytes = b"a=b") -> Raw:
    return ask(site, "POST", path, headers=(FORM, ("origin", origin)), body=body)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_registered_origin_may_read(site: Site, path: str) -> None:
    make_client(site, "spa")

    asked, answered = preflight(site, path, SPA), post(site, path, SPA)

    assert asked.status == 204
    assert asked.header("access-control-allow-methods") == "GET, POST"
    assert "authorization" in (asked.header("access-control-allow-headers") or "")
    for answer in (asked, answered):
        assert answer.header("access-control-allow-origin") == SPA
        assert answer.header("vary") == "origin"
        assert answer.header("access-control-allow-credentials") is None


@pytest.mark.parametrize("path", [*ENDPOINTS, "/par", "/api/v1/me"])
def test_an_origin_that_the_operator_lists_may_read(
    start_site: Callable[..., Site], path: str
) -> None:
    other = "http://localhost:5173"
    site = start_site(cors_origins=f"{SPA}, {other}")

    for origin in (SPA, other):
        asked, answered = preflight(site, path, origin), post(site, path, origin)

        assert asked.status == 204
        assert "POST" in (asked.header("access-control-allow-methods") or "")
        for answer in (asked, answered):
            assert answer.header("access-control-allow-origin") == origin
            assert answer.header("vary") == "origin"
            assert answer.header("access-control-allow-credentials") is None
    for origin in FOREIGN:
        for answer in (preflight(site, path, origin), post(site, path, origin)):
            assert answer.header("access-control-allow-origin") is None


def test_an_origin_that_is_listed_gets_nothing_by_a_cookie(
    start_site: Callable[..., Site],
) -> None:
    """Nor does any other script: pages are not for scripts, and the API takes no cookies."""
    site = start_site(cors_origins=SPA)
    _, browser, _, _ = signed_in(site)

    page = browser.client.get("/account", headers={"origin": SPA})
    called = browser.client.get("/api/v1/me", headers={"origin": SPA})

    assert page.status_code == 200
    assert "access-control-allow-origin" not in page.headers
    assert called.status_code == 401
    assert "access-control-allow-credentials" not in called.headers


def test_only_what_is_public_is_open_to_every_origin(start_site: Callable[..., Site]) -> None:
    site = start_site(cors_origins=SPA)
    public = [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/jwks.json",
    ]

    for path in public:
        answer = site.http.get(path, headers={"origin": "https://evil.example.org"})

        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/anything",
        "/jwks.json",
    ],
)
def test_a_script_may_ask_for_what_is_public_with_headers_of_its_own(site: Site, path: str) -> None:
    headers = (
        ("origin", "https://evil.example.org"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization, mcp-protocol-version, traceparent"),
    )

    answer = ask(site, "OPTIONS", path, headers=headers)

    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("access-control-allow-methods") == "GET"
    assert answer.header("access-control-allow-headers") == "*, authorization"
    assert answer.header("access-control-allow-credentials") is None


FAULTS: list[tuple[str, bytes]] = [
    ("a repeated parameter", b"token=a&token=b"),
    ("not UTF-8", b"token=%ff"),
    ("too large", b"a=" + b"b" * 100_000),
]


@pytest.mark.parametrize(("fault", "body"), FAULTS)
def test_a_registered_origin_may_read_why_it_was_refused(
    site: Site, fault: str, body: bytes
) -> None:
    make_client(site, "spa")

    answer = post(site, "/token", SPA, body)

    assert 400 <= answer.status < 500
    assert answer.header("access-control-allow-origin") == SPA


@pytest.mark.parametrize("written", [f"{SPA}:443", SPA.replace("app", "App")])
def test_an_origin_is_what_browsers_send_however_its_address_is_written(
    site: Site, written: str
) -> None:
    make_client(site, "spa", redirect_uris=(f"{written}/callback",))

    assert post(site, "/token", SPA).header("access-control-allow-origin") == SPA


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_any_other_origin_may_not(site: Site, path: str, origin: str) -> None:
    make_client(site, "spa")

    for answer in (preflight(site, path, origin), post(site, path, origin)):
        assert answer.header("access-control-allow-origin") is None
        assert answer.header("access-control-allow-methods") is None
        assert answer.header("vary") == "origin"


@pytest.mark.parametrize("client_type", ["web", "native"])
def test_the_address_of_another_kind_of_client_gives_nothing(site: Site, client_type) -> None:
    make_client(site, client_type)

    assert post(site, "/token", SPA).header("access-control-allow-origin") is None


def test_two_origins_are_none(site: Site) -> None:
    make_client(site, "spa")
    headers = (FORM, ("origin", SPA), ("origin", "https://evil.example.org"))

    answer = ask(site, "POST", "/token", headers=headers, body=b"a=b")

    assert answer.header("access-control-allow-origin") is None


@pytest.mark.parametrize(
    "path", ["/introspect", "/authorize", "/login", "/logout", "/account", "/nothing"]
)
def test_what_no_script_needs_no_script_may_read(site: Site, path: str) -> None:
    make_client(site, "spa")

    for answer in (preflight(site, path, SPA), post(site, path, SPA)):
        assert answer.header("access-control-allow-origin") is None
        assert answer.header("access-control-allow-methods") is None


def test_a_disabled_application_loses_its_origin(site: Site) -> None:
    app = make_client(site, "spa")
    with site.db() as db:
        clients.change(db, app.client_id, disabled_at=site.clock.now)

    assert preflight(site, "/token", SPA).header("access-control-allow-origin") is None


def test_a_whole_refresh_works_from_a_page_of_the_application(site: Site) -> None:
    party, _, _, tokens = signed_in(site, client_type="spa")
    fields: dict[str, Any] = {
        "client_id": party.app.client_id,
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
    }

    answer = site.http.post("/token", data=fields, headers={"origin": SPA})
    told = site.http.get(
        "/userinfo",
        headers={"origin": SPA, "authorization": f"Bearer {answer.json()['access_token']}"},
    )

    assert [answer.status_code, told.status_code] == [200, 200]
    assert answer.headers["access-control-allow-origin"] == SPA
    assert told.headers["access-control-allow-origin"] == SPA


class Occupied:
    """Work that begins when a thread is free for it, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.ends = Event(), Event()

    def occupy(self) -> None:
        self.begun.set()
        self.ends.wait(PATIENCE)


def threads_of(site: Site) -> Any:
    """Those that work for the database: what they are given directly is never too late."""
    lane: Any = site.runtime.lane
    return lane._lane


def wait_until_queued(site: Site, count: int) -> None:
    """Until so many jobs wait for a thread that works for the database."""
    deadline = time.monotonic() + PATIENCE
    while threads_of(site)._jobs.qsize() != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("start_site", [KINDS[1]], indirect=True)
def test_where_no_thread_is_free_a_script_is_told_to_come_back_too(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(
        cors_origins="https://listed.example.net",
        database_threads=1,
        max_wait=timedelta(seconds=1),
    )
    portal = site.http.portal
    assert portal is not None
    make_client(site, "spa")
    threads, first, second = threads_of(site), Occupied(), Occupied()
    long = site.runtime.settings.max_wait.total_seconds() + 1

    with ThreadPoolExecutor() as pool:
        pool.submit(portal.call, threads.run, first.occupy)
        assert first.begun.wait(PATIENCE)
        refused = [
            pool.submit(post, site, "/token", origin)
            for origin in (SPA, "https://listed.example.net")
        ]
        wait_until_queued(site, 2)
        pool.submit(portal.call, threads.run, second.occupy)
        wait_until_queued(site, 3)
        time.sleep(long)
        first.ends.set()
        of_spa, of_listed = (one.result() for one in refused)
        second.ends.set()

    assert (of_spa.status, of_listed.status) == (503, 503)
    assert int(of_spa.header("retry-after") or "") > 0
    assert of_spa.header("access-control-allow-origin") is None
    assert of_listed.header("access-control-allow-origin") == "https://listed.example.net"


def test_what_is_refused_for_it_is_late_asks_the_database_nothing(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(cors_origins="https://listed.example.net")
    make_client(site, "spa")
    late = site.runtime.settings.max_wait.total_seconds() + 1

    def refused(origin: str) -> Raw:
        headers = (FORM, ("origin", origin))
        return ask(site, "POST", "/token", headers=headers, body=b"a=b", seconds_ago=late)

    registered, listed = refused(SPA), refused("https://listed.example.net")

    for answer in (registered, listed):
        assert (answer.status, answer.header("vary")) == (503, "origin")
    assert registered.header("access-control-allow-origin") is None  # nobody has looked
    assert listed.header("access-control-allow-origin") == "https://listed.example.net"


def test_an_answer_without_content_tells_no_length(site: Site) -> None:
    """RFC 9110 §8.6."""
    assert preflight(site, "/token", SPA).header("content-length") is None
