"""The second step on the page of security: adding, showing and removing factors."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from httpx2 import Response
from sqlalchemy import select

from oidc_server.domain import factors
from oidc_server.domain.outbox import OutboxRow
from tests.account.pages import fill, send
from tests.authentication.forms import (
    csrf,
    post,
    post_to,
    session_cookie,
    sign_in,
    signed_in_person,
)
from tests.browser import Browser
from tests.factories import PASSWORD, Person
from tests.factors import (
    Authenticator,
    add_authenticator,
    add_mailed_codes,
    add_recovery_codes,
    first_step,
    second_step,
    someone_with_an_app,
)
from tests.held_up import held_up
from tests.site import Site

SECURITY = "/account/security"
NEW_APP = f"{SECURITY}/authenticator"
NEW_CODES = f"{SECURITY}/recovery-codes"
CODE = re.compile(r"<li>([2-9a-z]{4}-[2-9a-z]{4})</li>")
SECRET = re.compile(r'<b id="secret">([A-Z2-7 ]+)</b>')


def at_home_with_an_app(site: Site) -> tuple[Person, Authenticator, Browser]:
    """Somebody who has just signed in with both steps."""
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    assert second_step(browser, page, app.code()).status_code == 303
    return person, app, browser


def begin(site: Site, browser: Browser) -> tuple[Response, Authenticator]:
    """Ask for a new app; the page with its secret, and the app that has scanned it."""
    answer = fill(browser, NEW_APP, current_password=PASSWORD)
    page = browser.client.get(answer.headers["location"])
    found = SECRET.search(page.text)
    assert found is not None
    return page, Authenticator(site, "", found[1].replace(" ", ""))


def confirm(browser: Browser, page: Response, **fields: str) -> Response:
    """Send the form of the page with the secret."""
    return send(browser, page, urlsplit(str(page.url)).path, **fields)


def held(site: Site, person: Person) -> set[str]:
    with site.db() as db:
        return {factor.value for factor in factors.held_by(db, person.id)}


def notices(site: Site) -> list[str]:
    with site.db() as db:
        rows = db.session.scalars(select(OutboxRow).order_by(OutboxRow.id))
        return [row.payload["facts"]["notice"] for row in rows if "notice" in row.payload["facts"]]


def test_an_app_counts_once_it_has_shown_a_code_and_brings_ten_recovery_codes(site: Site) -> None:
    person, browser = signed_in_person(site)

    page, app = begin(site, browser)
    before = held(site, person)
    codes = confirm(browser, page, code=app.code(), name="  My   phone ")
    site.clock.advance(30)

    assert before == set()
    assert held(site, person) == {"totp", "recovery_code"}
    assert len(set(CODE.findall(codes.text))) == 10
    assert "download=" in codes.text
    assert "My phone" in browser.client.get(SECURITY).text
    assert notices(site) == ["authenticator_added"]
    other, step = first_step(site, person)
    assert second_step(other, step, app.code()).status_code == 303


def test_the_picture_has_words_beside_it_and_the_secret_is_shown_till_it_counts(
    site: Site,
) -> None:
    _, browser = signed_in_person(site)

    page, app = begin(site, browser)
    confirm(browser, page, code=app.code())

    assert 'role="img"' in page.text
    assert "otpauth://totp/" in page.text
    assert browser.client.get(str(page.url)).headers["location"] == SECURITY


def test_the_code_of_the_set_up_is_no_second_step_once_more(site: Site) -> None:
    person, browser = signed_in_person(site)
    page, app = begin(site, browser)
    confirm(browser, page, code=app.code())

    other, step = first_step(site, person)

    assert second_step(other, step, app.code()).status_code == 401


@pytest.mark.parametrize(
    ("steps", "says"), [(None, "This code is not right"), (5, "2 minutes off"), (-6, "3 minutes")]
)
def test_a_wrong_first_code_says_whether_the_clock_is_at_fault(
    site: Site, steps: int | None, says: str
) -> None:
    person, browser = signed_in_person(site)
    page, app = begin(site, browser)

    answer = confirm(
        browser, page, code="000000" if steps is None else app.code(steps), name="Phone"
    )

    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="Phone"' in answer.text
    assert "autofocus" in answer.text
    assert "autofocus" not in page.text
    assert held(site, person) == set()


@pytest.mark.parametrize(("password", "status"), [("", 422), ("not the password", 401)])
@pytest.mark.parametrize("path", [NEW_APP, NEW_CODES, f"{SECURITY}/mailed-codes", "a factor"])
def test_without_the_password_nothing_is_added_or_removed(
    site: Site, path: str, password: str, status: int
) -> None:
    person, _, browser = at_home_with_an_app(site)
    with site.db() as db:
        [factor] = factors.list_factors(db, person.id)
    path = f"{SECURITY}/factors/{factor.id}" if path == "a factor" else path

    answer = fill(browser, path, current_password=password)

    assert answer.status_code == status
    assert held(site, person) == {"totp"}


@pytest.mark.parametrize(
    "path", [NEW_APP, NEW_CODES, f"{SECURITY}/mailed-codes", f"{SECURITY}/password"]
)
def test_who_has_a_factor_shows_it_before_what_is_dangerous_and_comes_back(
    site: Site, path: str
) -> None:
    person, app, browser = at_home_with_an_app(site)
    assert browser.client.get(path).status_code == 200
    site.clock.advance(timedelta(minutes=15, seconds=1))
    before = session_cookie(browser)

    page = browser.go(path)
    answer = second_step(browser, page, app.code())

    assert "Enter your code" in page.text
    assert session_cookie(browser) not in (None, before)
    assert answer.headers["location"] == path
    assert browser.client.get(path).status_code == 200
    assert person.username in browser.client.get(path).text


def test_a_form_that_was_left_open_does_nothing_without_the_factor(site: Site) -> None:
    person, _, browser = at_home_with_an_app(site)
    page = browser.client.get(NEW_CODES)
    site.clock.advance(timedelta(minutes=16))

    answer = send(browser, page, NEW_CODES, current_password=PASSWORD)

    assert answer.headers["location"].startswith("/login/step-up")
    assert held(site, person) == {"totp"}


def test_a_browser_that_skipped_the_second_step_shows_it_for_what_is_dangerous(
    site: Site,
) -> None:
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    post(browser, page, code=app.code(), trust="yes")
    browser.client.cookies.delete("__Host-sid")
    sign_in(browser, person.username)

    page = browser.go(NEW_APP)

    assert "Enter your code" in page.text


def test_new_recovery_codes_void_the_old(site: Site) -> None:
    person, _, browser = at_home_with_an_app(site)
    old = add_recovery_codes(site, person)

    page = fill(browser, NEW_CODES, current_password=PASSWORD)

    new = CODE.findall(page.text)
    assert len(new) == 10
    assert not set(new) & set(old)
    assert notices(site) == ["recovery_codes_made"]
    other, step = first_step(site, person)
    step = other.client.get(f"{step.url}?factor=recovery_code")
    assert second_step(other, step, old[0]).status_code == 401
    assert second_step(other, step, new[0]).status_code == 303
    assert "9 of 10 left" in browser.client.get(SECURITY).text


def test_no_link_leads_from_new_recovery_codes_to_the_choice_of_a_language(site: Site) -> None:
    """It leads back to the page that it stands on, and this one is shown once."""
    _, _, browser = at_home_with_an_app(site)

    page = fill(browser, NEW_CODES, current_password=PASSWORD)

    assert CODE.findall(page.text)
    assert "/language" in browser.client.get(SECURITY).text
    assert "/language" not in page.text


def test_recovery_codes_need_something_to_stand_in_for(site: Site) -> None:
    person, browser = signed_in_person(site)

    fill(browser, NEW_CODES, current_password=PASSWORD)

    assert held(site, person) == set()


def test_no_recovery_codes_are_made_for_what_is_being_removed(site: Site) -> None:
    person, app, browser = at_home_with_an_app(site)

    with site.db() as db:
        factors.remove(db, person.id, app.factor_id)
        making = held_up(lambda: fill(browser, NEW_CODES, current_password=PASSWORD))
    making()

    assert held(site, person) == set()


def test_several_apps_can_be_had_and_codes_go_with_the_last(site: Site) -> None:
    person, _, browser = at_home_with_an_app(site)
    add_recovery_codes(site, person)
    second = add_authenticator(site, person, "Tablet")
    with site.db() as db:
        first = next(one for one in factors.list_factors(db, person.id) if one.name == "Phone")

    fill(browser, f"{SECURITY}/factors/{first.id}", current_password=PASSWORD)
    between = held(site, person)
    fill(browser, f"{SECURITY}/factors/{second.factor_id}", current_password=PASSWORD)

    assert between == {"totp", "recovery_code"}
    assert held(site, person) == set()
    assert notices(site) == ["authenticator_removed", "authenticator_removed"]


def test_the_factor_of_somebody_else_is_not_found(site: Site) -> None:
    person, _ = someone_with_an_app(site)
    with site.db() as db:
        [factor] = factors.list_factors(db, person.id)
    _, browser = signed_in_person(site)

    assert browser.client.get(f"{SECURITY}/factors/{factor.id}").status_code == 404
    assert browser.client.get(f"{SECURITY}/authenticator/{factor.id}").status_code == 303
    assert held(site, person) == {"totp"}


def test_a_code_by_mail_can_be_turned_on_and_off(site: Site) -> None:
    person, browser = signed_in_person(site)

    fill(browser, f"{SECURITY}/mailed-codes", current_password=PASSWORD)
    on = held(site, person)
    with site.db() as db:
        [factor] = factors.list_factors(db, person.id)
    fill(browser, f"{SECURITY}/factors/{factor.id}", current_password=PASSWORD)

    assert on == {"email_code"}
    assert held(site, person) == set()
    assert sorted(notices(site)) == ["email_code_added", "email_code_removed"]


def test_nothing_is_mailed_to_an_address_that_nobody_has_confirmed(site: Site) -> None:
    person, browser = signed_in_person(site, email_verified=False)

    assert "mailed-codes" not in browser.client.get(SECURITY).text
    fill(browser, f"{SECURITY}/mailed-codes", current_password=PASSWORD)

    assert held(site, person) == set()


def test_trusted_devices_are_listed_and_asked_again_when_their_owner_says_so(site: Site) -> None:
    person, app = someone_with_an_app(site)
    add_mailed_codes(site, person)
    browser, page = first_step(site, person)
    post(browser, page, code=app.code(), trust="yes")

    shown = browser.client.get(SECURITY)
    path = re.findall(rf'action="({SECURITY}/trusted-devices/[^"]+)"', shown.text)[0]
    _, stranger = signed_in_person(site)
    foreign = post_to(stranger, path, csrf_token=csrf(stranger))
    answer = send(browser, shown, path)

    assert "Trusted devices" in shown.text
    assert foreign.status_code == 404
    assert answer.headers["location"].startswith(SECURITY)
    assert "Trusted devices" not in browser.client.get(SECURITY).text
