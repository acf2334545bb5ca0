"""Making an account with a passkey and no password."""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from oidc_server.domain import credentials, passkeys
from tests.authentication.forms import csrf, is_signed_in, new_browser, post_to, sign_in
from tests.authentication.test_passkey_login import sign_in as sign_in_with
from tests.authenticator import UP, Authenticator
from tests.browser import Browser
from tests.factories import make_user
from tests.site import Site

FORM = {"username": "ada", "email": "ada@example.com", "name": "Ada"}


def ask(browser: Browser, **changes: str) -> Response:
    fields = {**FORM, **changes}
    return post_to(browser, "/sign-up/passkey/options", csrf_token=csrf(browser), **fields)


def send(browser: Browser, credential: str, **changes: str) -> Response:
    fields = {**FORM, **changes}
    return post_to(
        browser, "/sign-up/passkey", csrf_token=csrf(browser), credential=credential, **fields
    )


def account(site: Site, username: str = "ada") -> Any:
    with site.db() as db:
        return credentials.find_by_name(db, username)


def test_an_account_needs_no_password(site: Site):
    browser, authenticator = new_browser(site), Authenticator()
    asked = ask(browser).json()

    answer = send(browser, authenticator.make(asked))

    selection = asked["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    assert asked["user"]["name"] == "ada"
    assert answer.headers["location"] == "/account"
    assert is_signed_in(browser)
    assert account(site).password_hash is None
    assert sign_in_with(new_browser(site), authenticator).status_code == 303
    assert sign_in(new_browser(site), "ada").status_code == 401


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": ""}, "Enter a username."),
        ({"email": "no address"}, "This e-mail address is not complete."),
        ({"username": "taken"}, "This username is taken."),
    ],
)
def test_no_passkey_is_made_for_a_form_that_cannot_be_taken(site: Site, changes, words):
    make_user(site, username="taken")
    browser = new_browser(site)

    answer, page = ask(browser, **changes), send(browser, "", **changes)

    assert (answer.status_code, answer.json()) == (422, {"refused": "fields"})
    assert page.status_code in (409, 422)
    assert words in page.text
    assert "This passkey cannot be taken" not in page.text
    assert account(site) is None


def test_a_passkey_that_does_not_know_its_person_makes_no_account(site: Site):
    browser = new_browser(site)
    made = Authenticator(flags=UP).make(ask(browser).json())

    answer = send(browser, made)

    assert answer.status_code == 422
    assert "This passkey cannot be taken" in answer.text
    assert account(site) is None


def test_a_challenge_makes_one_account_and_in_time(site: Site):
    browser = new_browser(site)
    first = Authenticator().make(ask(browser).json())
    late = Authenticator().make(ask(browser).json())
    assert send(browser, first).status_code == 303

    again = send(browser, first, username="eve")
    site.clock.advance(timedelta(minutes=5))

    assert again.status_code == 422
    assert send(browser, late, username="eve").status_code == 422
    assert account(site, "eve") is None


def test_a_passkey_of_somebody_is_none_for_a_new_account(site: Site):
    owner, authenticator = new_browser(site), Authenticator()
    send(owner, authenticator.make(ask(owner).json()))
    other = new_browser(site)

    answer = send(other, authenticator.make(ask(other, username="eve").json()), username="eve")

    assert answer.status_code == 409
    assert account(site, "eve") is None
    owner_id = account(site).id
    with site.db() as db:
        assert len(passkeys.list_of_user(db, owner_id)) == 1


def test_where_sign_up_is_closed_there_is_no_other_door(start_site):
    browser = new_browser(start_site(sign_up="closed"))

    assert ask(browser).status_code == 422
    assert send(browser, "{}").status_code == 403
