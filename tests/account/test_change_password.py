"""Changing one's password from the account, over HTTP, on both databases."""

from datetime import timedelta

from oidc_server.security.jose import peek
from tests.account.pages import fill
from tests.authentication.forms import is_signed_in, new_browser, sign_in
from tests.factories import PASSWORD, make_client, make_user
from tests.factors import first_step, second_step, someone_with_an_app
from tests.mails import read_mails
from tests.relying_party import RelyingParty

PATH = "/account/security/password"
NEW = "another long enough passphrase"


def change(browser, **changes):
    fields = {"current_password": PASSWORD, "password": NEW, **changes}
    return fill(browser, PATH, **fields)


def test_the_new_password_signs_in_and_the_old_one_does_not(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    answer = change(browser)

    assert answer.headers["location"] == "/account/security?notice=password_changed"
    assert sign_in(new_browser(site), person.username, PASSWORD).status_code == 401
    assert sign_in(new_browser(site), person.username, NEW).status_code == 303


def test_other_browsers_are_signed_out_and_this_one_is_not(site):
    person, here, there = make_user(site), new_browser(site), new_browser(site)
    sign_in(here, person.username)
    sign_in(there, person.username)

    change(here)

    assert is_signed_in(here)
    assert not is_signed_in(there)


def test_a_password_given_once_more_does_not_make_the_second_step_younger(site):
    person, app = someone_with_an_app(site)
    party = RelyingParty(site, make_client(site, skip_consent=True))
    browser, page = first_step(site, person)
    second_step(browser, page, app.code())
    stepped_at = int(site.clock.now.timestamp())
    site.clock.advance(timedelta(minutes=14))

    change(browser)
    told = peek(party.redeem(party.read(browser.go(party.url())).code).json()["id_token"])
    site.clock.advance(timedelta(minutes=2))
    page = browser.go(PATH)

    assert told is not None
    assert told["auth_time"] == stepped_at
    assert "Enter your code" in page.text


def test_a_wrong_present_password_changes_nothing_and_ends_nothing(site):
    person, here, there = make_user(site), new_browser(site), new_browser(site)
    sign_in(here, person.username)
    sign_in(there, person.username)

    answer = change(here, current_password="wrong")

    assert answer.status_code == 401
    assert "This is not your present password." in answer.text
    assert "<title>Error:" in answer.text
    assert NEW not in answer.text
    assert is_signed_in(there)
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_guesses_at_the_present_password_are_counted_like_guesses_at_sign_in(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    answers = [change(browser, current_password="wrong") for _ in range(30)]

    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Too many attempts" in answers[-1].text
    browser.client.cookies.delete("__Host-sid")
    assert sign_in(browser, person.username).status_code == 429


def test_a_weak_new_password_is_refused_and_counts_no_guess(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    answers = [change(browser, password="short") for _ in range(30)]

    assert {answer.status_code for answer in answers} == {422}
    assert "This password is too short." in answers[-1].text
    assert sign_in(new_browser(site), person.username).status_code == 303


def test_both_passwords_are_judged_at_once(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    answer = change(browser, current_password="wrong", password="short")

    assert answer.status_code == 401
    assert "This is not your present password." in answer.text
    assert "This password is too short." in answer.text


def test_what_is_missing_is_said_for_each_field(site):
    browser = new_browser(site)
    sign_in(browser, make_user(site).username)

    answer = change(browser, current_password="", password="")

    assert answer.status_code == 422
    assert "2 things to fix" in answer.text
    assert "Enter your present password." in answer.text
    assert "Enter a password." in answer.text


def test_password_managers_know_which_password_is_which(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    page = browser.client.get(PATH).text

    assert f'name="username" value="{person.username}" autocomplete="username"' in page
    assert page.count('autocomplete="current-password"') == 1
    assert page.count('autocomplete="new-password"') == 1
    assert 'passwordrules="minlength: ' in page


def test_the_owner_hears_of_it(site):
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)

    change(browser)

    [mail] = read_mails(site)
    assert (mail.to, mail.subject) == (person.email, "Your ID: Your password was changed")


def test_the_page_says_when_it_was_changed(site):
    person, browser = make_user(site), new_browser(site)
    site.clock.advance(3 * 86400)
    sign_in(browser, person.username)

    assert "3 days ago" in browser.client.get("/account/security").text
    change(browser)
    assert "just now" in browser.client.get("/account/security").text
