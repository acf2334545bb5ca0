"""What people do in the account console, in a real browser, with scripts and without."""

import re
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser_flows.people import (
    authorize_url,
    expect_account_of,
    link_in,
    mail_to,
    sign_in,
)
from tests.examples.running import PASSWORD, Place, running_place
from tests.services.smtp import MailServer, mail_server

NEW_PASSWORD = "another long enough passphrase"
APP = "http://localhost:9"
_count = iter(range(1, 1000))


@pytest.fixture(scope="module")
def smtp() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, smtp: MailServer) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    with running_place(folder, OIDC_SMTP_URL=f"smtp://{smtp.host}:{smtp.port}") as place:
        yield place


@pytest.fixture
def username(place: Place) -> str:
    """Somebody new, whose account nothing has touched."""
    username = f"ada{next(_count)}"
    place.add_user(username)
    return username


def said(page: Page, words: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(words)


def is_signed_in(page: Page, place: Place) -> bool:
    page.goto(f"{place.issuer}/account")
    return page.url == f"{place.issuer}/account"


def change_address(page: Page, place: Place, new: str, smtp: MailServer) -> None:
    """Ask for it where somebody is signed in, and follow the mail to the new address."""
    page.goto(f"{place.issuer}/account/profile")
    page.click("#change-email")
    page.fill("#email", new)
    page.fill("#current_password", PASSWORD)
    page.click("#send-link")
    expect(page.locator("h1")).to_have_text("Check your mail")
    page.goto(link_in(mail_to(new, smtp), place.issuer))
    page.click("#confirm")
    expect(page.locator("h1")).to_have_text("Your address is confirmed")


def allow_an_app(page: Page, place: Place, name: str) -> None:
    app = place.add_app(name, APP)
    page.route(f"{APP}/**", lambda route: route.fulfill(status=200, body="the app"))
    page.goto(authorize_url(place.issuer, app["CLIENT_ID"], f"{APP}/callback"))
    page.click("#allow")
    page.wait_for_url(f"{APP}/**")


def test_somebody_signs_in_without_a_mouse(place: Place, either_page: Page, username: str) -> None:
    page = either_page
    page.goto(f"{place.issuer}/login")
    expect(page.locator("#username")).to_be_focused()

    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{place.issuer}/account")


def test_whoever_uses_another_account_finds_the_field_empty(
    place: Place, page: Page, username: str
) -> None:
    client_id = place.add_app("Shop", APP)["CLIENT_ID"]
    asking = partial(authorize_url, place.issuer, client_id, f"{APP}/callback")
    sign_in(page, place.issuer, username)
    expect(page).to_have_url(f"{place.issuer}/account")

    page.goto(asking(prompt="select_account"))
    page.click("#use-another")
    expect(page.locator("#username")).to_have_value("")
    expect(page.locator("#username")).to_be_focused()
    page.goto(asking(login_hint=username))
    page.get_by_role("link", name="Use another").click()
    expect(page.locator("#username")).to_have_value("")
    page.goto(asking(max_age="0"))
    expect(page.locator("#username")).to_have_value(username)
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#password")).to_have_accessible_description(re.compile("once more"))


def test_somebody_says_who_they_are(place: Place, either_page: Page, username: str) -> None:
    page = either_page
    page.goto(f"{place.issuer}/account/profile")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    page.fill("#name", "Ada King")
    page.fill("#birthdate", "yesterday")
    page.select_option("#zoneinfo", "Europe/London")

    page.click("#save-profile")
    expect(page.get_by_role("alert")).to_contain_text("This is no date.")
    page.fill("#birthdate", "1815-12-10")
    page.click("#save-profile")

    said(page, "Your profile is saved.")
    expect(page.locator("#zoneinfo")).to_have_value("Europe/London")
    page.goto(f"{place.issuer}/account")
    expect_account_of(page, "Ada King")


def test_somebody_changes_their_password(
    place: Place, either_page: Page, username: str, chromium: Browser
) -> None:
    page = either_page
    elsewhere = chromium.new_context().new_page()
    sign_in(elsewhere, place.issuer, username)
    sign_in(page, place.issuer, username)
    page.goto(f"{place.issuer}/account/security")
    page.click("#change-password")
    page.fill("#current_password", "not this one")
    page.fill("#password", NEW_PASSWORD)

    page.click("#save-password")
    expect(page.get_by_role("alert")).to_contain_text("This is not your present password.")
    page.fill("#current_password", PASSWORD)
    page.fill("#password", NEW_PASSWORD)
    page.click("#save-password")

    said(page, "Your password is changed.")
    assert not is_signed_in(elsewhere, place)
    sign_in(elsewhere, place.issuer, username, NEW_PASSWORD)
    assert is_signed_in(elsewhere, place)
    elsewhere.context.close()


def test_somebody_signs_out_elsewhere(
    place: Place, either_page: Page, username: str, chromium: Browser
) -> None:
    page, others = either_page, [chromium.new_context().new_page() for _ in range(2)]
    for other in others:
        sign_in(other, place.issuer, username)
    sign_in(page, place.issuer, username)
    page.goto(f"{place.issuer}/account/sessions")

    page.locator("section", has_text="Other devices").get_by_role("button").first.click()
    said(page, "That device is signed out.")
    assert sum(is_signed_in(other, place) for other in others) == 1
    page.click("#end-others")

    said(page, "You are signed out everywhere else.")
    assert not any(is_signed_in(other, place) for other in others)
    assert is_signed_in(page, place)
    for other in others:
        other.context.close()


def test_somebody_takes_back_what_an_app_may_do(
    place: Place, either_page: Page, username: str
) -> None:
    page, name = either_page, f"Ledger of {username}"
    sign_in(page, place.issuer, username)
    allow_an_app(page, place, name)
    page.goto(f"{place.issuer}/account/apps")
    expect(page.get_by_role("main")).to_contain_text("Keep access when you are away")

    page.get_by_role("button", name=f"Remove access {name}").click()

    said(page, "The app lost its access.")
    expect(page.get_by_role("main")).to_contain_text("No apps yet")
    page.goto(f"{place.issuer}/account/activity")
    expect(page.get_by_role("main")).to_contain_text(f"{name} lost its access")


def test_somebody_changes_their_address(
    place: Place, either_page: Page, username: str, smtp: MailServer
) -> None:
    page, new = either_page, f"{username}@new.example.com"
    sign_in(page, place.issuer, username)

    change_address(page, place, new, smtp)

    page.goto(f"{place.issuer}/account/profile")
    expect(page.get_by_role("main")).to_contain_text(new)


def test_the_owner_of_the_old_address_takes_the_account_back(
    place: Place, either_page: Page, username: str, smtp: MailServer, chromium: Browser
) -> None:
    page, old = either_page, f"{username}@example.com"
    intruder = chromium.new_context().new_page()
    sign_in(intruder, place.issuer, username)
    change_address(intruder, place, f"{username}@evil.example.com", smtp)

    page.goto(link_in(mail_to(old, smtp), place.issuer))
    expect(page.locator("h1")).to_have_text("Take your account back")
    page.click("#undo")
    page.fill("#password", NEW_PASSWORD)
    page.click("#set-password")

    expect(page.locator("h1")).to_have_text("Your password is changed")
    assert not is_signed_in(intruder, place)
    intruder.context.close()
    sign_in(page, place.issuer, username)
    expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    sign_in(page, place.issuer, username, NEW_PASSWORD)
    page.goto(f"{place.issuer}/account/profile")
    expect(page.get_by_role("main")).to_contain_text(old)


def test_somebody_takes_their_data_along_and_leaves_and_comes_back(
    place: Place, either_page: Page, username: str
) -> None:
    page = either_page
    sign_in(page, place.issuer, username)
    page.goto(f"{place.issuer}/account/data")
    page.click("#to-download")
    page.fill("#current_password", PASSWORD)
    with page.expect_download() as download:
        page.click("#download")
    assert username in download.value.path().read_text()

    page.goto(f"{place.issuer}/account/data")
    page.click("#to-delete")
    page.fill("#current_password", PASSWORD)
    page.click("#delete")

    expect(page.locator("h1")).to_have_text("Your account is shut")
    assert not is_signed_in(page, place)
    sign_in(page, place.issuer, username)
    assert is_signed_in(page, place)


def test_a_narrow_screen_has_the_navigation_behind_a_button(
    place: Place, either_page: Page, username: str
) -> None:
    page = either_page
    page.set_viewport_size({"width": 320, "height": 640})
    sign_in(page, place.issuer, username)
    entry = page.get_by_role("link", name="Activity").first

    page.get_by_role("button", name="Menu").click()
    page.locator("#nav").get_by_role("link", name="Activity").click()
    expect(page.locator("h1")).to_have_text("Activity")
    expect(entry).to_be_hidden()
    page.get_by_role("button", name=username).click()
    page.click("#log-out")

    expect(page.locator("h1")).to_have_text("You are signed out")
