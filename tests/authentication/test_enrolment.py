"""An operator requires a second factor: who has none sets one up before anything else."""

import re

import pytest
from sqlalchemy import select

from oidc_server.domain import endings, factors, roles
from oidc_server.domain.factors import FactorRow, totp
from tests.authentication.forms import is_signed_in, new_browser, post, sign_in, sign_up
from tests.browser import Browser, Page
from tests.device.devices import GRANTS, Device
from tests.factories import Person, make_client, make_user
from tests.factors import (
    Authenticator,
    add_authenticator,
    add_mailed_codes,
    first_step,
    someone_with_an_app,
)
from tests.held_up import held_up
from tests.relying_party import RelyingParty
from tests.site import Site

SECRET = re.compile(r'<b id="secret">([A-Z2-7 ]+)</b>')


@pytest.fixture
def strict(start_site) -> Site:
    site: Site = start_site(second_factor="required")
    return site


def secret_on(site: Site, page) -> Authenticator:
    found = SECRET.search(page.text)
    assert found is not None
    return Authenticator(site, "", found[1].replace(" ", ""))


def held(site: Site, person: Person) -> frozenset[str]:
    with site.db() as db:
        return frozenset(factors.held_by(db, person.id))


def test_who_has_none_sets_one_up_and_goes_on_to_the_app(strict: Site) -> None:
    party = RelyingParty(strict, make_client(strict, skip_consent=True))
    person, browser = make_user(strict), new_browser(strict)

    page = browser.log_in(browser.go(party.url()), person)
    before = is_signed_in(browser)
    codes = browser.send(page, code=secret_on(strict, page).code())
    answer = party.read(browser.send(codes, saved="yes"))

    assert "Set up a second step" in page.text
    assert 'role="img"' in page.text
    assert not before
    assert len(re.findall(r"<li>[2-9a-z]{4}-[2-9a-z]{4}</li>", codes.text)) == 10
    assert answer.code
    assert held(strict, person) == {"totp", "recovery_code"}
    [code, *_] = re.findall(r"<li>([2-9a-z]{4}-[2-9a-z]{4})</li>", codes.text)
    again = new_browser(strict)
    step = again.client.get(sign_in(again, person.username).headers["location"])
    step = again.client.get(f"{step.url}?factor=recovery_code")
    assert post(again, step, recovery_code=code).headers["location"] == "/account"


def test_no_link_leads_from_the_recovery_codes_to_the_choice_of_a_language(strict: Site) -> None:
    """It leads back to the page that it stands on, and this one is shown once."""
    browser = new_browser(strict)

    page = browser.log_in(browser.go("/login"), make_user(strict))
    codes = browser.send(page, code=secret_on(strict, page).code())

    assert 'id="codes"' in codes.text
    assert "/language" in page.text
    assert "/language" not in codes.text


def test_a_wrong_first_code_changes_nothing_and_a_slow_clock_is_told(strict: Site) -> None:
    person, browser = make_user(strict), new_browser(strict)
    page = browser.go("/login")
    page = browser.log_in(page, person)
    app = secret_on(strict, page)

    answers = [browser.send(page, code=code) for code in ("12", "000000", app.code(-6))]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert "A code has 6 digits." in answers[0].text
    assert "This code is not right" in answers[1].text
    assert "clock is 3 minutes off" in answers[2].text
    assert all("autofocus" in answer.text for answer in answers)
    assert "autofocus" not in page.text
    assert held(strict, person) == set()
    assert not is_signed_in(browser)


def test_a_set_up_that_has_to_wait_for_the_end_of_its_sign_in_holds_up_nobody(strict: Site) -> None:
    """Else whoever ends it, and takes all factors, would wait for the set-up in turn."""
    person, browser = make_user(strict), new_browser(strict)
    page = browser.log_in(browser.go("/login"), person)
    app = secret_on(strict, page)

    with strict.db() as db:
        endings.end_sessions_of_user(db, person.id, strict.clock.now)
        setting_up = held_up(lambda: browser.send(page, code=app.code()))
        free = select(FactorRow.id).with_for_update(nowait=True)
        assert len(db.session.scalars(free).all()) == 1

    assert setting_up().status_code == 400
    assert held(strict, person) == frozenset()


def test_who_signs_up_sets_one_up_too(strict: Site) -> None:
    browser = new_browser(strict)

    answer = sign_up(browser, "ada")

    assert answer.headers["location"].startswith("/login/set-up/")
    assert not is_signed_in(browser)


def test_what_somebody_has_is_asked_for_before_they_may_set_something_up(strict: Site) -> None:
    person, browser = make_user(strict), new_browser(strict)
    add_mailed_codes(strict, person)

    page = browser.log_in(browser.go("/login"), person)

    assert "Enter the code from your mail" in page.text


def test_nobody_sets_up_a_factor_in_half_a_sign_in_of_who_has_one(site: Site) -> None:
    person, _ = someone_with_an_app(site)
    browser = new_browser(site)
    location = sign_in(browser, person.username).headers["location"]
    pending_id = location.rsplit("/", 1)[1]
    with site.db() as db:
        factor_id = totp.begin(db, site.runtime.vault, person.id, site.clock.now)

    answer = browser.client.get(f"/login/set-up/{pending_id}/{factor_id}")

    assert answer.status_code == 400


def test_administrators_alone_can_be_required_to(start_site) -> None:
    site = start_site(second_factor="admins")
    person, boss = make_user(site), make_user(site)
    with site.db() as db:
        roles.assign(db, boss.id, roles.ADMIN, site.clock.now)

    assert sign_in(new_browser(site), person.username).headers["location"] == "/account"
    assert sign_in(new_browser(site), boss.username).headers["location"].startswith("/login/set-up")


def appointed(site: Site) -> tuple[Person, Browser]:
    """Somebody who signed in with the password alone, and is an administrator since."""
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    site.clock.advance(60)
    appoint(site, person)
    return person, browser


def appoint(site: Site, person: Person) -> None:
    with site.db() as db:
        roles.assign(db, person.id, roles.ADMIN, site.clock.now)


def test_a_session_from_before_leads_no_app_on_until_a_factor_is_set_up(start_site) -> None:
    site = start_site(second_factor="admins")
    person, browser = appointed(site)
    party = RelyingParty(site, make_client(site, skip_consent=True))

    silent = party.read(browser.go(party.url(prompt="none")))
    page = browser.go(party.url())
    setting_up = browser.log_in(page, person)
    codes = browser.send(setting_up, code=secret_on(site, setting_up).code())
    answer = party.read(browser.send(codes, saved="yes"))

    assert silent.error == "login_required"
    assert 'id="sign-in"' in page.text  # a cookie alone does not set a factor up
    assert "Set up a second step" in setting_up.text
    assert answer.code
    assert party.read(browser.go(party.url(prompt="none"))).code


def test_a_session_from_before_shows_the_factor_its_owner_has(start_site) -> None:
    site = start_site(second_factor="admins")
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    app = add_authenticator(site, person)
    party = RelyingParty(site, make_client(site, skip_consent=True))
    before = party.read(browser.go(party.url()))
    appoint(site, person)

    page = browser.go(party.url())

    assert before.code
    assert "Enter your code" in page.text
    assert party.read(browser.send(page, code=app.code())).code


def test_a_trusted_browser_is_spared_by_the_apps_too(strict: Site) -> None:
    person, app = someone_with_an_app(strict)
    browser, page = first_step(strict, person)
    post(browser, page, code=app.code(), trust="yes")
    browser.client.cookies.delete("__Host-sid")
    sign_in(browser, person.username)
    party = RelyingParty(strict, make_client(strict, skip_consent=True))

    answer = party.read(browser.go(party.url()))
    appoint(strict, person)
    page = browser.go(party.url())

    assert answer.code
    assert "Enter your code" in page.text


def test_a_session_from_before_connects_no_device(start_site) -> None:
    site = start_site(second_factor="admins")
    person, browser = appointed(site)
    device = Device(site, make_client(site, "native", redirect_uris=(), grant_types=GRANTS))
    user_code = device.ask()["user_code"]

    page = browser.send(browser.go("/device"), user_code=user_code)
    setting_up = browser.log_in(page, person)
    codes = browser.send(setting_up, code=secret_on(site, setting_up).code())
    asked = browser.send(codes, saved="yes")

    assert 'id="sign-in"' in page.text
    assert "Is this your device?" in asked.text


def test_the_page_of_a_device_that_was_open_before_connects_it_no_more(start_site) -> None:
    site = start_site(second_factor="admins")
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    device = Device(site, make_client(site, "native", redirect_uris=(), grant_types=GRANTS))
    asked = browser.send(browser.go("/device"), user_code=device.ask()["user_code"])
    appoint(site, person)

    page = browser.send(asked, decision="allow", same_code="yes")

    assert "Is this your device?" in asked.text
    assert 'id="sign-in"' in page.text
    assert device.error() == "authorization_pending"


def test_a_session_from_before_does_nothing_that_is_sensitive(start_site) -> None:
    site = start_site(second_factor="admins")
    person, browser = appointed(site)

    page = browser.go("/account/security/password")
    setting_up = browser.log_in(page, person)
    codes = browser.send(setting_up, code=secret_on(site, setting_up).code())
    form = browser.send(codes, saved="yes")

    assert 'id="sign-in"' in page.text
    assert "Set up a second step" in setting_up.text
    assert 'name="current_password"' in form.text


def test_the_app_of_a_set_up_that_was_given_up_is_forgotten(strict: Site) -> None:
    person, browser = make_user(strict), new_browser(strict)
    page = browser.log_in(browser.go("/login"), person)
    strict.clock.advance(15 * 60)

    with strict.db() as db:
        assert factors.prune(db, strict.clock.now, 10) == 0
    strict.clock.advance(1)
    with strict.db() as db:
        assert factors.prune(db, strict.clock.now, 10) == 1
    assert browser.client.get(Page(page).action()).status_code == 400
