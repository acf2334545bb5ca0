"""Every kind of answer carries its headers, whatever its status."""

import re

import pytest

from oidc_server.routes import ROUTES
from oidc_server.web.endpoint import Endpoint
from tests.browser import Browser, Page
from tests.factories import make_user
from tests.relying_party import signed_in
from tests.site import Site
from tests.wire import FORM, Raw, ask

PAGES: list[tuple[str, str, bytes, int]] = [
    ("GET", "/login", b"", 200),
    ("GET", "/sign-up", b"", 200),
    ("GET", "/password-reset", b"", 200),
    ("GET", "/logout", b"", 200),
    ("POST", "/login", b"username=a&password=b", 403),
    ("GET", "/authorize", b"", 400),
    ("POST", "/authorize", b"client_id=x", 400),
    ("GET", "/consent/x", b"", 400),
    ("GET", "/nothing", b"", 404),
    ("POST", "/nothing", b"a=b", 404),
    ("GET", "/authorize/", b"", 404),
    ("GET", "/static/nothing.css", b"", 404),
    ("GET", "/static/../pyproject.toml", b"", 404),
    ("GET", "/.git/config", b"", 404),
    ("GET", "/metrics", b"", 404),
    ("GET", "/dev/app", b"", 404),
    ("DELETE", "/login", b"", 405),
    ("POST", "/login", b"a=" + b"b" * 100_000, 413),
    ("GET", "/login?" + "x" * 70_000, b"", 414),
]
MACHINES: list[tuple[str, str, bytes, int]] = [
    ("POST", "/token", b"grant_type=client_credentials", 401),
    ("POST", "/token", b"", 400),
    ("POST", "/introspect", b"token=x", 401),
    ("POST", "/revoke", b"token=x", 401),
    ("GET", "/userinfo", b"", 401),
    ("GET", "/token", b"", 405),
    ("POST", "/token", b"a=" + b"b" * 100_000, 413),
    ("GET", "/jwks.json", b"", 200),
    ("GET", "/.well-known/openid-configuration", b"", 200),
    ("GET", "/openapi.json", b"", 200),
    ("GET", "/health/live", b"", 200),
    ("GET", "/health/ready", b"", 503),  # the clock of the tests is not that of the database
]


def everywhere(answer: Raw) -> None:
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("x-frame-options") == "DENY"
    assert answer.header("referrer-policy") in ("same-origin", "no-referrer")
    assert "frame-ancestors 'none'" in (answer.header("content-security-policy") or "")
    assert "default-src 'none'" in (answer.header("content-security-policy") or "")
    assert answer.header("strict-transport-security") == "max-age=31536000; includeSubDomains"
    assert answer.header("server") is None
    assert answer.header("x-powered-by") is None


@pytest.mark.parametrize(("method", "target", "body", "status"), PAGES)
def test_a_page_is_locked_down(
    site: Site, method: str, target: str, body: bytes, status: int
) -> None:
    answer = ask(site, method, target, headers=(FORM,), body=body)

    everywhere(answer)
    policy = answer.header("content-security-policy") or ""
    assert answer.status == status
    assert answer.header("cache-control") == "no-store"
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.header("cross-origin-opener-policy") == "same-origin"
    assert answer.header("vary") == "cookie"
    assert "unsafe" not in policy
    assert "form-action 'self'" in policy
    assert "base-uri 'none'" in policy


@pytest.mark.parametrize(("method", "target", "body", "status"), MACHINES)
def test_an_answer_for_programs_is_locked_down(
    site: Site, method: str, target: str, body: bytes, status: int
) -> None:
    answer = ask(site, method, target, headers=(FORM,), body=body)

    everywhere(answer)
    cached = "public" in (answer.header("cache-control") or "")
    assert answer.status == status
    assert cached == (status == 200 and "health" not in target)
    assert "sandbox" in (answer.header("content-security-policy") or "")
    assert answer.all("set-cookie") == []


def test_a_redirect_is_locked_down(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    to_the_client = browser.go(party.url())
    to_ourselves = site.browser().get(party.url())

    for answer in (to_the_client, to_ourselves):
        assert answer.status_code == 303
        everywhere(Raw(303, list(answer.headers.items()), answer.content))
        assert answer.headers["cache-control"] == "no-store"


def test_a_static_file_is_locked_down(site: Site) -> None:
    page = ask(site, "GET", "/login").text
    path = page.partition('rel="stylesheet" href="')[2].partition('"')[0]

    answer = ask(site, "GET", path)

    assert answer.status == 200
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cache-control") == "public, max-age=31536000, immutable"


def test_every_cookie_is_locked_down(site: Site) -> None:
    person = make_user(site)
    browser = Browser(site.browser(), site.issuer)
    shown = browser.client.get("/login")

    signed_in = browser.client.post(
        "/login",
        data={
            **Page(shown).hidden(),
            "username": person.username,
            "password": person.password,
        },
        headers={"origin": site.issuer},
    )

    cookies = [answer.headers["set-cookie"] for answer in (shown, signed_in)]
    assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-browser", "__Host-sid"]
    for cookie in cookies:
        assert "; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=" in cookie
        assert "Domain" not in cookie


def test_a_cookie_on_loopback_has_a_plain_name(start_site) -> None:
    site = start_site(issuer="http://localhost:8000")

    cookie = ask(site, "GET", "/login").header("set-cookie") or ""

    assert cookie.startswith("browser=")
    assert "Secure" not in cookie
    assert "HttpOnly" in cookie
    assert ask(site, "GET", "/login").header("strict-transport-security") is None


_IN_PATH = re.compile(r"\{\w+\}")
_PUBLIC = {"/jwks.json", "/openapi.json"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_every_route_is_locked_down_for_every_method(site: Site, method: str) -> None:
    """By a stranger, who is mostly refused: no kind of answer is without its headers."""
    for route in ROUTES:
        path = _IN_PATH.sub("x", route.path)

        answer = ask(site, method, path, headers=(FORM,), body=b"a=b" if method != "GET" else b"")

        everywhere(answer)
        assert answer.status not in (500, 503) or path.startswith("/health"), (method, path)
        public = path in _PUBLIC or path.startswith("/.well-known/")
        cached = answer.header("cache-control")
        assert cached == "no-store" or (public and "public" in (cached or "")), (method, path)
        if "html" in (answer.header("content-type") or ""):
            assert answer.header("cross-origin-opener-policy") is not None
            assert "geolocation=()" in (answer.header("permissions-policy") or "")


def test_every_get_answers_with_a_reference(site: Site) -> None:
    for route in ROUTES:
        if isinstance(route.endpoint, Endpoint) and "GET" in route.endpoint.methods:
            answer = ask(site, "GET", route.path.replace("{request_id}", "x"))

            assert answer.status != 500, route.path
            assert len(answer.header("x-request-id") or "") >= 12
