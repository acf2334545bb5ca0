"""Another e-mail address, from the account, over HTTP, on both databases."""

import pytest

from oidc_server.domain import credentials
from oidc_server.languages import SUPPORTED
from tests.account.pages import fill, send
from tests.authentication.forms import new_browser, sign_up, signed_in_person
from tests.factories import PASSWORD, everybody, make_user
from tests.mails import link_in, read_mails

PATH = "/account/profile/email"
NEW = "new@example.com"


def ask(browser, email=NEW, **changes):
    return fill(browser, PATH, **{"email": email, "current_password": PASSWORD, **changes})


def confirm(browser, mail):
    page = browser.go(link_in(mail))
    return browser.send(page)


def test_nothing_changes_until_the_new_address_answers(site):
    person, browser = signed_in_person(site)

    page = ask(browser)
    [mail] = read_mails(site)

    assert "Check your mail" in page.text
    assert NEW in page.text
    assert mail.to == NEW
    assert person.email in browser.client.get("/account/profile").text
    confirm(browser, mail)
    profile = browser.client.get("/account/profile").text
    assert NEW in profile
    assert person.email not in profile


@pytest.mark.parametrize("language", SUPPORTED)
def test_every_language_says_for_how_long_the_link_works(site, language):
    _, browser = signed_in_person(site)
    browser.client.headers["accept-language"] = language

    page = ask(browser)

    assert page.status_code == 200
    assert f"<b>{NEW}</b>" in page.text
    assert "60" in page.text


def test_the_code_of_the_mail_can_be_typed_on_the_page_that_follows(site):
    _, browser = signed_in_person(site)

    page = ask(browser)
    [mail] = read_mails(site)
    digits = [line.strip() for line in mail.text.splitlines() if line.replace(" ", "").isdigit()]
    answer = send(browser, page, "/verify-email/code", code=digits[0])

    assert answer.status_code == 303
    assert NEW in browser.client.get("/account/profile").text


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"current_password": "wrong"}, 401, "This is not your present password."),
        ({"current_password": ""}, 422, "Enter your present password."),
        ({"email": "nonsense"}, 422, "This e-mail address is not complete."),
        ({"email": ""}, 422, "Enter your e-mail address."),
    ],
)
def test_what_is_wrong_is_said_and_no_mail_is_sent(site, changes, status, said):
    _, browser = signed_in_person(site)

    page = ask(browser, **changes)

    assert page.status_code == status
    assert said in page.text
    assert "<title>Error:" in page.text
    assert read_mails(site) == []


def test_what_was_typed_stays_but_the_password_does_not(site):
    _, browser = signed_in_person(site)

    page = ask(browser, current_password="not the right one")

    assert f'value="{NEW}"' in page.text
    assert "not the right one" not in page.text


def test_the_address_it_has_is_no_change(site):
    person, browser = signed_in_person(site)

    page = ask(browser, person.email)

    assert "This is the address that your account has." in page.text


def test_whether_an_address_is_known_here_is_not_told(site):
    other = make_user(site)
    _, browser = signed_in_person(site)

    known, unknown = ask(browser, other.email), ask(browser)

    assert known.status_code == unknown.status_code == 200
    assert known.text.count("Check your mail") == unknown.text.count("Check your mail")
    assert {mail.to for mail in read_mails(site)} == {other.email, NEW}


def test_somebody_without_a_password_needs_a_fresh_sign_in(site):
    _, browser = signed_in_person(site)
    with site.db() as db:
        [user] = everybody(db)
        credentials.set_password(db, user.id, None, site.clock.now)

    fresh = browser.client.get(PATH).text
    site.clock.advance(6 * 60)
    stale = browser.client.get(PATH).text

    assert 'id="send-link"' in fresh
    assert 'name="current_password"' not in fresh
    assert 'id="send-link"' not in stale
    assert "reason=login_again&amp;return_to=%2Faccount%2Fprofile%2Femail" in stale
    assert 'id="sign-in"' in browser.client.get(f"/login?reason=login_again&return_to={PATH}").text


def test_an_account_without_a_confirmed_address_gets_one_this_way(site):
    browser = new_browser(site)
    sign_up(browser, "ada")
    read_mails(site)

    ask(browser)
    [mail] = read_mails(site)
    confirm(browser, mail)

    assert NEW in browser.client.get("/account/profile").text
