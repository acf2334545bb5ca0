"""The account page, over HTTP, on both databases."""

from tests.authentication.forms import new_browser, sign_in, sign_up
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in


def test_the_account_is_for_whoever_is_signed_in(site):
    answer = new_browser(site).client.get("/account")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/login"


def test_it_shows_the_person_and_nobody_else(site):
    person, other, browser = make_user(site), make_user(site), new_browser(site)
    sign_in(browser, person.username)

    page = browser.client.get("/account")

    assert person.username in page.text
    assert person.email in page.text
    assert "E-mail confirmed" in page.text
    assert other.email not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_an_address_that_is_not_confirmed_can_have_its_mail_again(site):
    browser = new_browser(site)
    sign_up(browser, "ada")

    page = browser.client.get("/account")

    assert "is not confirmed yet" in page.text
    assert 'id="resend"' in page.text


def test_it_lists_the_apps_that_were_allowed_something(site):
    party, browser, _, _ = signed_in(site, client_name="Ledger")
    unused = RelyingParty(site, make_client(site, client_name="Never used"))

    page = browser.client.get("/account")

    assert "Ledger" in page.text
    assert "Used " in page.text
    assert party.app.client_id != unused.app.client_id
    assert "Never used" not in page.text


def test_without_apps_it_says_so(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    assert "No apps yet" in browser.client.get("/account").text


def test_only_notices_of_ours_are_shown(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    page = browser.client.get("/account?notice=%3Cscript%3E")

    assert page.status_code == 200
    assert "<script>" not in page.text.replace("<script src=", "")


def test_using_the_account_keeps_the_session_alive(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)
    half = site.runtime.settings.session_idle_lifetime / 2

    for _ in range(4):
        site.clock.advance(half)
        assert browser.client.get("/account").status_code == 200
