"""Links that come by mail, from a real mail server into a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.people import expect_account_of, link_in, sign_in
from tests.examples.running import PASSWORD, Place, running_place
from tests.services.smtp import MailServer

NEW_PASSWORD = "another long enough passphrase"


@pytest.fixture
def place(tmp_path: Path, smtp: MailServer) -> Iterator[Place]:
    with running_place(tmp_path, OIDC_SMTP_URL=f"smtp://{smtp.host}:{smtp.port}") as place:
        yield place


def ask_for_a_link(page: Page, place: Place, identifier: str) -> None:
    page.goto(f"{place.issuer}/login")
    page.get_by_role("link", name="Forgot password?").click()
    page.fill("#username", identifier)
    page.click("#send-link")
    expect(page.locator("h1")).to_have_text("Check your mail")


def choose_password(page: Page, link: str) -> None:
    page.goto(link)
    page.fill("#password", NEW_PASSWORD)
    page.click("#set-password")
    expect(page.locator("h1")).to_have_text("Your password is changed")


def test_a_forgotten_password_is_replaced_through_a_mail(
    place: Place, page: Page, smtp: MailServer
) -> None:
    place.add_user("ada")

    ask_for_a_link(page, place, "ada@example.com")
    [mail] = smtp.wait_for(1)
    choose_password(page, link_in(mail, place.issuer))

    sign_in(page, place.issuer, "ada")
    expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    sign_in(page, place.issuer, "ada", NEW_PASSWORD)
    expect_account_of(page, "Ada")
    assert [mail["To"] for mail in smtp.wait_for(2)] == ["ada@example.com"] * 2


def test_a_used_link_changes_no_password(place: Place, page: Page, smtp: MailServer) -> None:
    place.add_user("ada")
    ask_for_a_link(page, place, "ada")
    link = link_in(smtp.wait_for(1)[0], place.issuer)
    choose_password(page, link)

    page.goto(link)

    expect(page.locator("h1")).to_have_text("This link does not work")


def test_a_password_is_replaced_without_scripts(
    place: Place, page_without_scripts: Page, smtp: MailServer
) -> None:
    page = page_without_scripts
    place.add_user("ada")

    ask_for_a_link(page, place, "ada")
    choose_password(page, link_in(smtp.wait_for(1)[0], place.issuer))

    sign_in(page, place.issuer, "ada", NEW_PASSWORD)
    expect_account_of(page, "Ada")


def test_a_new_account_confirms_its_address(place: Place, page: Page, smtp: MailServer) -> None:
    page.goto(f"{place.issuer}/sign-up")
    page.fill("#username", "grace")
    page.fill("#email", "grace@example.com")
    page.fill("#password", PASSWORD)
    page.click("#sign-up")
    expect(page.locator("body")).to_contain_text("is not confirmed yet")

    page.goto(link_in(smtp.wait_for(1)[0], place.issuer))
    page.click("#confirm")

    page.goto(f"{place.issuer}/account")
    expect(page.locator("body")).to_contain_text("E-mail confirmed")


def disown(page: Page, place: Place, smtp: MailServer) -> None:
    """Somebody signs in as Ada from two browsers; the owner follows the mail of the second."""
    place.add_user("ada")
    owner = page.context.browser
    assert owner is not None
    for _ in range(2):
        context = owner.new_context()
        sign_in(context.new_page(), place.issuer, "ada")
        context.close()
    page.goto(link_in(smtp.wait_for(1)[0], place.issuer))
    expect(page.locator("h1")).to_have_text("Was this not you?")


def test_a_sign_in_that_was_not_mine_is_closed_with_one_button(
    place: Place, page: Page, smtp: MailServer
) -> None:
    disown(page, place, smtp)

    page.click("#secure")
    page.fill("#password", NEW_PASSWORD)
    page.click("#set-password")
    expect(page.locator("h1")).to_have_text("Your password is changed")

    sign_in(page, place.issuer, "ada")
    expect(page.get_by_role("alert")).to_contain_text("Wrong username or password")
    sign_in(page, place.issuer, "ada", NEW_PASSWORD)
    expect_account_of(page, "Ada")


def test_the_same_button_works_without_scripts(
    place: Place, page_without_scripts: Page, smtp: MailServer
) -> None:
    page = page_without_scripts
    disown(page, place, smtp)

    page.click("#secure")

    expect(page.locator("h1")).to_have_text("Choose a new password")
