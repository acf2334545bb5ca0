"""Requests that a client library would not send."""

import asyncio
from typing import Any

import pytest

from oidc_server.domain.client_metadata import matches_redirect_uri, redirect_uri_problem
from tests.browser import Browser
from tests.relying_party import signed_in
from tests.site import Site


def send_raw(
    site: Site, path: str, headers: list[tuple[bytes, bytes]], messages: list[dict[str, Any]]
) -> int:
    """Hand messages to the application as a server would; returns the status of the answer."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [
            (b"host", b"id.example.com"),
            (b"content-type", b"application/x-www-form-urlencoded"),
            *headers,
        ],
        "client": ("192.0.2.1", 1),
    }
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        answers.append(message)

    asyncio.run(site.app(scope, receive, send))
    status: int = answers[0]["status"]
    return status


def test_half_a_body_is_not_taken_for_a_whole_one(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    half = {"type": "http.request", "body": b"token=", "more_body": True}
    body = tokens["refresh_token"].encode() + b"&client_id=" + party.app.client_id.encode()
    rest = {"type": "http.request", "body": body, "more_body": True}

    status = send_raw(site, "/revoke", [], [half, rest, {"type": "http.disconnect"}])

    assert status == 400
    assert party.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("length", [b"0" * 5000 + b"1", b"9" * 30, b"-1", b"+1", b"x"])
def test_an_odd_content_length_is_refused(site: Site, length: bytes) -> None:
    message = {"type": "http.request", "body": b"a"}

    assert send_raw(site, "/token", [(b"content-length", length)], [message]) == 413


@pytest.mark.parametrize(
    "port", ["1" * 5000, "0" * 4200 + "80", "080", "0", "99999", "8x", "\u0661"]
)
def test_a_loopback_port_is_a_port(port: str) -> None:
    registered = ("http://127.0.0.1/cb",)

    assert not matches_redirect_uri("native", registered, f"http://127.0.0.1:{port}/cb")
    assert matches_redirect_uri("native", registered, "http://127.0.0.1:51004/cb")


@pytest.mark.parametrize("host", ["a.example,evil", "a.example;report-uri", "a.example'", "a b"])
def test_a_redirect_uri_cannot_carry_a_policy(host: str) -> None:
    assert redirect_uri_problem("web", f"https://{host}/cb") is not None


def test_head_neither_issues_a_code_nor_signs_out(site: Site) -> None:
    party, browser, _, tokens = signed_in(site)

    authorize = browser.client.head(party.url())
    logout = browser.client.head(f"/logout?id_token_hint={tokens['id_token']}")

    assert (authorize.status_code, logout.status_code) == (405, 405)
    assert "location" not in authorize.headers
    assert party.read(browser.go(party.url(prompt="none"))).error is None


def test_a_resource_named_often_is_one_audience(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    assert party.app.client_secret is not None

    answer = site.http.post(
        "/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"],
            "resource": [site.issuer] * 50,
        },
        auth=(party.app.client_id, party.app.client_secret),
    )

    assert party.introspect(answer.json()["access_token"])["aud"] == site.issuer


def test_a_blank_scope_asks_for_nothing_narrower(site: Site) -> None:
    party, _, _, tokens = signed_in(site)

    answer = party.refresh(tokens["refresh_token"], scope=" ")

    assert set(answer.json()["scope"].split()) == set(tokens["scope"].split())


def test_an_endless_state_does_not_become_an_address(site: Site) -> None:
    page = Browser(site.browser(), site.issuer).client.get("/logout", params={"state": "s" * 9000})

    assert page.status_code == 400
