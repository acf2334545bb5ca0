"""/dev/app signs in at a server that really runs, in two workers, through its real pages."""

import json
import time

import httpx2
import pytest

from tests.browser import Browser

PERSON = {
    "username": "ada",
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "password": "seven grey herons on a pier",
}


@pytest.fixture
def server(start_server, fresh_database_url):
    """A development server on either database."""
    settings = {
        "OIDC_ISSUER": "http://127.0.0.1:{port}",
        "OIDC_DATABASE_URL": fresh_database_url,
        "OIDC_SECRET_KEY": "a secret of the tests that is long enough",
        "OIDC_SIGN_UP": "open",
        "OIDC_ARGON2_MEMORY_KIB": "64",
    }
    return start_server(
        settings, workers=2, options=("--port", "{port}", "--workers", "{workers}", "--dev")
    )


@pytest.fixture
def browser(server):
    with httpx2.Client(base_url=server.base_url, trust_env=False, timeout=20) as client:
        yield Browser(client, server.base_url)


def sign_up(browser):
    """Go from the app to the server, make an account there, and stop at the consent page."""
    browser.go("/dev/app/sign-in")
    login_page = browser.last
    address = f"/sign-up?request_id={request_id_in(login_page)}"
    return browser.send(browser.go(address), **PERSON)


def request_id_in(page):
    return page.url.params["request_id"]


@pytest.mark.slow
def test_a_newcomer_signs_in_sees_what_the_app_received_signs_out_and_gets_a_mail(server, browser):
    assert "Nobody is signed in" in browser.go("/dev/app").text

    page = browser.allow(sign_up(browser))
    assert page.url.path == "/dev/app"
    assert "You are signed in" in page.text
    for shown in ("Ada Lovelace", "ada@example.com", "at+jwt", server.base_url, "auth_time"):
        assert shown in page.text
    assert "You are signed in" in browser.go("/dev/app").text

    page = browser.send(page)
    assert page.url.path == "/dev/app"
    assert "Nobody is signed in" in page.text
    assert 'id="sign-in"' in browser.go("/dev/app/sign-in").text
    assert PERSON["email"] in wait_for_mail(browser)
    assert "error" not in {json.loads(line).get("level") for line in log_of(server)}


@pytest.mark.slow
def test_what_goes_wrong_is_told(server, browser):
    consent_page = sign_up(browser)
    page = browser.deny(consent_page)
    assert page.status_code == 400
    assert "access_denied" in page.text

    answered_before = browser.go(str(page.url))
    assert answered_before.status_code == 400
    assert "This sign-in is over. Start again." in answered_before.text

    for path in ("/dev/app/callback", "/dev/app/callback?code=a&code=b&state=c"):
        assert browser.go(path).status_code == 400
    assert browser.client.post("/dev/app/callback").status_code == 405

    assert "You are signed in" in browser.allow(browser.go("/dev/app/sign-in")).text


def log_of(server):
    return [line for line in server.logs().splitlines() if line.startswith("{")]


def wait_for_mail(browser):
    for _ in range(40):
        page = browser.go("/dev/mail").text
        if "No mail yet" not in page:
            return page
        time.sleep(0.25)
    raise AssertionError("no mail came")
