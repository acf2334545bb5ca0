"""Browsers that are spared the second step, over HTTP, on both databases."""

from datetime import timedelta

import pytest

from oidc_server.domain import endings, roles, trusted_devices
from oidc_server.oauth2.vocabulary import PASSWORD_ACR, TWO_FACTOR_ACR
from oidc_server.security.jose import peek
from tests.authentication.forms import is_signed_in, new_browser, post, sign_in
from tests.browser import Browser
from tests.factories import Person, make_client
from tests.factors import Authenticator, first_step, someone_with_an_app
from tests.relying_party import RelyingParty
from tests.site import Site


def trusting(site: Site) -> tuple[Person, Authenticator, Browser]:
    """Somebody at a browser that they trust, signed out again."""
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    assert post(browser, page, code=app.code(), trust="yes").status_code == 303
    browser.client.cookies.delete("__Host-sid")
    site.clock.advance(60)
    return person, app, browser


def is_asked(browser: Browser, person: Person) -> bool:
    return "/login/second-step/" in sign_in(browser, person.username).headers["location"]


def test_a_trusted_browser_is_not_asked_again_for_thirty_days(site: Site) -> None:
    person, _, browser = trusting(site)

    assert not is_asked(browser, person)
    assert is_signed_in(browser)
    assert is_asked(new_browser(site), person)
    site.clock.advance(timedelta(days=30))
    assert is_asked(browser, person)


def test_nobody_is_trusted_who_did_not_say_so(site: Site) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    post(browser, page, code=app.code())
    browser.client.cookies.delete("__Host-sid")

    assert 'name="trust"' in page.text
    assert is_asked(browser, person)


def test_the_trust_of_one_person_is_not_that_of_another(site: Site) -> None:
    one, _, browser = trusting(site)
    other, app = someone_with_an_app(site)

    answer = sign_in(browser, other.username)
    page = browser.client.get(answer.headers["location"])
    first = dict(browser.client.cookies)["__Host-trusted"]
    post(browser, page, code=app.code(), trust="yes")
    browser.client.cookies.delete("__Host-sid")

    assert "/login/second-step/" in answer.headers["location"]
    assert dict(browser.client.cookies)["__Host-trusted"] != first
    assert not is_asked(browser, other)
    browser.client.cookies.delete("__Host-sid")
    assert not is_asked(browser, one)


def test_a_mark_that_was_in_the_browser_before_is_worth_nothing(site: Site) -> None:
    _, _, browser = trusting(site)
    planted = dict(browser.client.cookies)["__Host-trusted"]
    victim, app = someone_with_an_app(site)
    page = browser.client.get(sign_in(browser, victim.username).headers["location"])
    post(browser, page, code=app.code(), trust="yes")

    elsewhere = new_browser(site)
    elsewhere.client.cookies.set("__Host-trusted", planted, domain="id.example.com")

    assert is_asked(elsewhere, victim)


@pytest.mark.parametrize("what", ["password", "everywhere", "withdrawn"])
def test_trust_ends_with_a_new_password_and_when_its_owner_says_so(site: Site, what: str) -> None:
    person, _, browser = trusting(site)

    with site.db() as db:
        match what:
            case "password":
                hashed = site.runtime.passwords.hash(person.password)
                endings.change_password(db, person.id, hashed, site.clock.now)
            case "everywhere":
                endings.end_sessions_of_user(db, person.id, site.clock.now)
            case _:
                [device] = trusted_devices.list_devices(db, person.id, site.clock.now)
                assert not trusted_devices.withdraw(db, device.id, device.id)
                assert trusted_devices.withdraw(db, person.id, device.id)

    assert is_asked(browser, person)


def test_an_administrator_is_always_asked(site: Site) -> None:
    person, _, browser = trusting(site)
    with site.db() as db:
        roles.assign(db, person.id, roles.ADMIN, site.clock.now)

    answer = sign_in(browser, person.username)
    page = browser.client.get(answer.headers["location"])

    assert "Enter your code" in page.text
    assert 'name="trust"' not in page.text


def test_trust_is_no_second_factor_for_an_app_that_wants_one(site: Site) -> None:
    person, app, browser = trusting(site)
    party = RelyingParty(site, make_client(site, skip_consent=True))

    plain = party.read(browser.log_in(browser.go(party.url()), person))
    browser.client.cookies.delete("__Host-sid")
    page = browser.log_in(browser.go(party.url(acr_values=TWO_FACTOR_ACR)), person)
    strong = party.read(browser.send(page, code=app.code()))

    acrs = [peek(party.redeem(one.code).json()["id_token"]) or {} for one in (plain, strong)]
    assert [claims["acr"] for claims in acrs] == [PASSWORD_ACR, TWO_FACTOR_ACR]


def test_an_operator_can_offer_it_to_nobody(start_site) -> None:
    site = start_site(trusted_device_lifetime=timedelta(0))
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)

    post(browser, page, code=app.code(), trust="yes")
    browser.client.cookies.delete("__Host-sid")

    assert 'name="trust"' not in page.text
    assert is_asked(browser, person)
