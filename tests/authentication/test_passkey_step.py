"""A passkey after the password: when it is asked for, and what it is worth."""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from tests.account.pages import fill
from tests.authentication.forms import csrf, is_signed_in, new_browser, post_to, sign_in
from tests.authentication.test_passkey_login import enrolled, options
from tests.authenticator import UP, UV, Authenticator
from tests.browser import Browser
from tests.factories import Person, make_user
from tests.mails import read_mails
from tests.relying_party import signed_in
from tests.site import Site
from tests.tokens import claims_of

STEP = "/account/security/passkeys/second-step"


def begun(site: Site, person: Person) -> tuple[Browser, str]:
    """A browser that has given the password, and the path of what comes next."""
    browser = new_browser(site)
    answer = sign_in(browser, person.username)
    assert answer.headers["location"].startswith("/login/second-step/")
    return browser, answer.headers["location"]


def send(browser: Browser, path: str, credential: str) -> Response:
    return post_to(browser, f"{path}/passkey", csrf_token=csrf(browser), credential=credential)


def take(browser: Browser, path: str, authenticator: Authenticator) -> Response:
    return send(browser, path, authenticator.use(options(browser, f"{path}/passkey/options")))


def with_key(site: Site, **changes: Any) -> tuple[Person, Authenticator]:
    """Somebody with a key that does not know its person: good for a second step only."""
    person = make_user(site)
    return person, enrolled(site, person, Authenticator(flags=UP, transports=("usb",), **changes))


def test_a_key_that_does_not_open_alone_is_asked_for_after_the_password(site: Site):
    person, key = with_key(site)
    browser, path = begun(site, person)

    page = browser.client.get(path)
    asked = options(browser, f"{path}/passkey/options")
    answer = send(browser, path, key.use(asked))

    assert "Use your passkey" in page.text
    assert not is_signed_in(new_browser(site))
    assert (len(asked["allowCredentials"]), asked["userVerification"]) == (1, "preferred")
    assert answer.headers["location"] == "/account"
    assert is_signed_in(browser)


def test_an_app_is_told_of_both(site: Site):
    party, browser, _, _ = signed_in(site)
    person, key = with_key(site)
    site.clock.advance(timedelta(minutes=1))
    page = browser.log_in(browser.go(party.url(prompt="login")), person)
    path = page.url.path

    answer = take(browser, path, key)
    told = party.read(browser.allow(browser.go(answer.headers["location"])))
    claims = claims_of(party.redeem(told.code).json()["id_token"])

    assert (claims["sub"], claims["acr"]) == (person.id, "phr")
    assert sorted(claims["amr"]) == ["hwk", "mfa", "pwd", "user"]


def test_a_passkey_that_opens_alone_is_asked_for_only_if_its_person_wants_it(site: Site):
    person = make_user(site)
    passkey = enrolled(site, person)
    browser = new_browser(site)
    assert sign_in(browser, person.username).headers["location"] == "/account"

    turned_on = fill(browser, STEP, current_password=person.password)
    second, path = begun(site, person)
    taken = take(second, path, passkey)
    turned_off = fill(second, STEP, current_password=person.password)

    assert turned_on.headers["location"].endswith("notice=passkey_step_on")
    assert taken.headers["location"] == "/account"
    assert turned_off.headers["location"].endswith("notice=passkey_step_off")
    assert [mail.subject for mail in read_mails(site)] == [
        "Your ID: New sign-in to your account",
        "Your ID: Two-step sign-in was turned off",
    ]
    assert sign_in(new_browser(site), person.username).headers["location"] == "/account"


def test_it_is_not_turned_off_without_the_password(site: Site):
    person = make_user(site)
    enrolled(site, person)
    browser = new_browser(site)
    sign_in(browser, person.username)

    answer = fill(browser, STEP, current_password="wrong")

    assert answer.status_code == 401
    assert "not your present password" in answer.text


def test_the_passkey_of_somebody_else_is_no_second_step(site: Site):
    person, _ = with_key(site)
    other = enrolled(site, make_user(site))
    browser, path = begun(site, person)

    answer = take(browser, path, other)

    assert answer.status_code == 401
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://evil.example.com"}, {"rp_id": "evil.example"}, {"flags": 0}]
)
def test_a_passkey_used_elsewhere_is_no_second_step(site: Site, wrong):
    person, key = with_key(site)
    browser, path = begun(site, person)
    for name, value in wrong.items():
        setattr(key, name, value)

    assert take(browser, path, key).status_code == 401
    assert not is_signed_in(browser)


def test_a_challenge_of_the_sign_in_page_is_none_of_the_second_step(site: Site):
    person, key = with_key(site)
    browser, path = begun(site, person)
    asked = options(browser)

    answer = send(browser, path, key.use(asked))

    assert answer.status_code == 401
    assert "once more" in answer.text


def test_a_challenge_of_the_second_step_is_none_of_the_sign_in_page(site: Site):
    """It may be answered without the person: alone it must not open anything."""
    person, key = with_key(site)
    key.flags = UP | UV
    browser, path = begun(site, person)
    asked = options(browser, f"{path}/passkey/options")

    answer = post_to(browser, "/login/passkey", csrf_token=csrf(browser), credential=key.use(asked))

    assert answer.status_code == 401


def test_another_browser_cannot_go_on(site: Site):
    person, _ = with_key(site)
    _, path = begun(site, person)
    other = new_browser(site)

    answer = post_to(other, f"{path}/passkey/options", csrf_token=csrf(other))

    assert answer.status_code == 400


def test_password_managers_are_told_where_passkeys_are_made(site: Site):
    answer = site.http.get("/.well-known/passkey-endpoints")

    assert answer.json() == {
        "enroll": "https://id.example.com/account/security/passkeys/new",
        "manage": "https://id.example.com/account/security",
    }


def test_an_app_that_asks_for_more_has_the_passkey_asked_for(site: Site):
    """Step-up: the session began with a password, and goes on with a passkey."""
    party, browser, person, _ = signed_in(site)
    passkey = enrolled(site, person)

    page = browser.go(party.url(acr_values="phr"))
    answer = take(browser, page.url.path, passkey)
    back = browser.go(answer.headers["location"])
    told = party.read(browser.allow(back) if 'id="allow"' in back.text else back)
    claims = claims_of(party.redeem(told.code).json()["id_token"])

    assert "Use your passkey" in page.text
    assert claims["acr"] == "phr"
    assert sorted(claims["amr"]) == ["hwk", "mfa", "pwd", "user"]


def test_whoever_used_a_passkey_has_taken_both_steps(site: Site):
    party, browser, person, _ = signed_in(site)
    passkey = enrolled(site, person)
    site.clock.advance(timedelta(minutes=1))
    send_passkey = post_to(
        browser,
        "/login/passkey",
        csrf_token=csrf(browser),
        credential=passkey.use(options(browser)),
    )
    assert send_passkey.status_code == 303

    for acr in ("phr", "urn:oidc-server:acr:two-factor", "urn:oidc-server:acr:password"):
        told = party.read(browser.go(party.url(acr_values=acr)))
        assert claims_of(party.redeem(told.code).json()["id_token"])["acr"] == acr
