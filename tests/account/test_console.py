"""What all pages of the account console share."""

import re

import pytest

from oidc_server.people.console import way_back
from oidc_server.routes import ROUTES
from oidc_server.web.endpoint import Endpoint
from tests.account.pages import fill, send
from tests.authentication.forms import csrf, new_browser, post, post_to, session_cookie, sign_in
from tests.factories import PASSWORD, make_user

CONSOLE = [
    (method, re.sub(r"{\w+}", "0193b1d2-0000-4000-8000-000000000000", route.path))
    for route in ROUTES
    if isinstance(route.endpoint, Endpoint) and route.path.startswith("/account")
    for method in sorted(route.endpoint.methods)
]


def test_no_address_of_the_console_answers_a_stranger(site):
    browser = new_browser(site)
    token = csrf(browser)

    for method, path in CONSOLE:
        if method == "POST":
            answer = post_to(browser, path, csrf_token=token)
        else:
            answer = browser.client.get(path)
        led = answer.status_code == 303 and answer.headers["location"].startswith("/login")
        assert led or answer.status_code in (401, 403, 404), (method, path, answer.status_code)


def test_no_form_of_the_console_is_taken_from_elsewhere(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    foreign = {"origin": "https://evil.example.org", "sec-fetch-site": "cross-site"}

    for method, path in CONSOLE:
        if method == "POST":
            without_token = post_to(browser, path, current_password=PASSWORD)
            from_elsewhere = browser.client.post(
                path, data={"csrf_token": csrf(browser)}, headers=foreign
            )
            assert (without_token.status_code, from_elsewhere.status_code) == (403, 403), path


def test_whoever_has_to_sign_in_first_comes_back_to_the_page(site):
    person, browser = make_user(site), new_browser(site)

    page = browser.go("/account/security")
    answer = post(browser, page, username=person.username, password=PASSWORD)

    assert 'id="sign-in"' in page.text
    assert answer.headers["location"] == "/account/security"


def test_the_way_back_survives_a_wrong_password(site):
    person, browser = make_user(site), new_browser(site)

    page = browser.go("/account/security")
    page = post(browser, page, username=person.username, password="wrong")

    answer = post(browser, page, username=person.username, password=PASSWORD)
    assert answer.headers["location"] == "/account/security"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/account//evil.example",
        "/account/../logout",
        "/account\\evil",
        "/account?x=1",
        "/accountant",
        "/login",
        "/account/a\n",
        "/account/" + "a" * 200,
    ],
)
def test_signing_in_leads_nowhere_but_to_the_console(site, elsewhere):
    person, browser = make_user(site), new_browser(site)
    page = browser.client.get("/login")

    answer = post(browser, page, username=person.username, password=PASSWORD, return_to=elsewhere)

    assert answer.headers["location"] == "/account"
    assert way_back(elsewhere) is None


def test_somebody_who_is_signed_in_is_not_asked_again_but_sent_on(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    answer = browser.client.get("/login?return_to=%2Faccount%2Fsecurity")

    assert answer.headers["location"] == "/account/security"


def test_a_form_sent_after_the_session_has_ended_changes_nothing_and_asks_to_sign_in(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    page = browser.client.get("/account/security/password")
    site.clock.advance(site.runtime.settings.session_idle_lifetime * 2)

    answer = send(
        browser,
        page,
        "/account/security/password",
        current_password=PASSWORD,
        password="another long passphrase",
    )

    assert answer.headers["location"] == "/login?return_to=%2Faccount%2Fsecurity%2Fpassword"
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_the_navigation_says_where_one_is(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    page = browser.client.get("/account/security").text

    assert page.count('aria-current="page"') == 1
    assert '<a href="/account/security" aria-current="page">' in page


def test_a_notice_is_a_sentence_of_ours_or_nothing(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    known = browser.client.get("/account/security?notice=password_changed").text
    unknown = browser.client.get("/account/security?notice=%3Cscript%3Eall").text

    assert "Your password is changed." in known
    assert 'role="status"' not in unknown
    assert "all" not in unknown.partition("<main")[2].partition("<section")[0]


def test_the_cookie_of_before_is_dead_after_a_change_of_password(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    before = session_cookie(browser)

    fill(
        browser,
        "/account/security/password",
        current_password=PASSWORD,
        password="another long passphrase",
    )

    stolen = site.browser().get("/account", headers={"cookie": f"__Host-sid={before}"})
    assert stolen.status_code == 303
    assert browser.client.get("/account").status_code == 200


@pytest.mark.parametrize("path", ["/account/nowhere", "/account/security/identities/unknown"])
def test_what_is_not_there_leads_to_the_account(site, path):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    page, elsewhere = browser.client.get(path), browser.client.get("/nowhere")

    assert page.status_code == elsewhere.status_code == 404
    assert "the app you came from" not in page.text
    assert "Go to your account and look for it there." in page.text
    assert '<a class="btn primary wide" href="/account">' in page.text
    assert "Go back to the app you came from" in elsewhere.text
