"""Links that come by mail, from a real mail server into a real browser, scripts on and off."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser_flows.people import expect_account_of, link_in, mail_to, sign_in
from tests.examples.running import PASSWORD, Place, running_place
from tests.services.smtp import MailServer, mail_server

NEW_PASSWORD = "another long enough passphrase"
_count = iter(range(1, 1000))


@pytest.fixture(scope="module")
def smtp() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, smtp: MailServer) -> Iterator[Place]:
    """Accounts are by invitation."""
    folder, address = tmp_path_factory.mktemp("place"), f"smtp://{smtp.host}:{smtp.port}"
    with running_place(folder, OIDC_SMTP_URL=address, OIDC_SIGN_UP="invite") as place:
        yield place


@pytest.fixture
def newcomer() -> str:
    """A name that nobody has yet."""
    return f"ada{next(_count)}"


@pytest.fixture
def username(place: Place, newcomer: str) -> str:
    """Somebody new, whose account nothing has touched."""
    place.add_user(newcomer)
    return newcomer


def ask_for_a_link(page: Page, place: Place, identifier: str) -> None:
    page.goto(f"{place.issuer}/login")
    page.get_by_role("link", name="Forgot password?").click()
    page.fill("#username", identifier)
    page.click("#send-link")
    expect(page.locator("h1")).to_have_text("Check your mail")


def choose_password(page: Page) -> None:
    page.fill("#password", NEW_PASSWORD)
    page.click("#set-password")
    expect(page.locator("h1")).to_have_text("Your password is changed")


def expect_new_password(page: Page, place: Place, username: str) -> None:
    sign_in(page, place.issuer, username)
    expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    sign_in(page, place.issuer, username, NEW_PASSWORD)
    expect_account_of(page, username.title())


def test_a_forgotten_password_is_replaced_once_through_a_mail(
    place: Place, either_page: Page, username: str, smtp: MailServer
) -> None:
    page, address = either_page, f"{username}@example.com"

    ask_for_a_link(page, place, address)
    link = link_in(mail_to(address, smtp), place.issuer)
    page.goto(link)
    choose_password(page)

    expect_new_password(page, place, username)
    mail_to(address, smtp, 2)
    page.goto(link)
    expect(page.locator("h1")).to_have_text("This link does not work")


def sign_up(page: Page, username: str) -> None:
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("#sign-up")
    expect_account_of(page, username)


def test_somebody_who_is_invited_by_mail_makes_an_account(
    place: Place, either_page: Page, newcomer: str, smtp: MailServer
) -> None:
    page, address = either_page, f"{newcomer}@example.com"
    page.goto(f"{place.issuer}/sign-up")
    expect(page.locator("h1")).to_have_text("Accounts are by invitation")
    place.command("users", "invite", "--email", address)

    link = link_in(mail_to(address, smtp), place.issuer)
    page.goto(link)
    expect(page.locator("#email")).to_have_value(address)
    sign_up(page, newcomer)

    expect(page.locator("body")).to_contain_text("E-mail confirmed")
    page.context.clear_cookies()
    page.goto(link)
    expect(page.locator("#sign-up")).to_have_count(0)


def test_somebody_who_is_handed_an_invitation_confirms_their_address(
    place: Place, either_page: Page, newcomer: str, smtp: MailServer
) -> None:
    page, address = either_page, f"{newcomer}@example.com"
    page.goto(place.command("users", "invite")["link"])
    page.fill("#email", address)
    sign_up(page, newcomer)
    expect(page.locator("body")).to_contain_text("is not confirmed yet")

    page.goto(link_in(mail_to(address, smtp), place.issuer))
    page.click("#confirm")

    page.goto(f"{place.issuer}/account")
    expect(page.locator("body")).to_contain_text("E-mail confirmed")


def test_a_sign_in_that_was_not_mine_is_closed_with_one_button(
    place: Place, either_page: Page, username: str, smtp: MailServer, chromium: Browser
) -> None:
    page = either_page
    for _ in range(2):
        elsewhere = chromium.new_context().new_page()
        sign_in(elsewhere, place.issuer, username)
        expect_account_of(elsewhere, username.title())
        elsewhere.context.close()

    page.goto(link_in(mail_to(f"{username}@example.com", smtp), place.issuer))
    expect(page.locator("h1")).to_have_text("Was this not you?")
    page.click("#secure")
    choose_password(page)

    expect_new_password(page, place, username)


def test_a_mail_fits_a_phone_however_long_the_name_in_it(
    place: Place, page: Page, smtp: MailServer
) -> None:
    username = "w" * 64
    place.add_user(username, named=False)
    ask_for_a_link(page, place, username)
    written = mail_to(f"{username}@example.com", smtp).get_body(("html",))
    assert written is not None

    page.goto("about:blank")
    page.set_viewport_size({"width": 320, "height": 600})
    page.set_content(written.get_content())

    expect(page.get_by_text(f"Hello {username}")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
