"""A second step in a real browser: set up, shown at the next sign-in, and lost with the phone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.people import expect_account_of, sign_in
from tests.examples.running import PASSWORD, Place, running_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        for name in ("ada", "bob"):
            place.add_user(name)
        yield place


def code_of(secret: str, later: int = 0) -> str:
    """What an app shows; a code is good once, so the next one may be asked for ahead."""
    return pyotp.TOTP(secret).at(int(time.time()) + later)


def set_up(page: Page, place: Place) -> tuple[str, list[str]]:
    """Add an app on the page of security; returns its secret, and the recovery codes."""
    page.goto(f"{place.issuer}/account/security")
    page.click("#add-authenticator")
    page.fill("#current_password", PASSWORD)
    page.click("#continue")
    page.click("summary")
    secret = page.locator("#secret").inner_text().replace(" ", "")
    page.fill("#code", code_of(secret))
    page.fill("#name", "Phone")
    page.click("#turn-on")
    codes = page.locator("#codes li").all_inner_texts()
    with page.expect_download() as download:
        page.click("#download-codes")
    kept = Path(download.value.path()).read_text()
    assert all(code in kept for code in codes)
    page.check("[name=saved]")
    page.click("#continue")
    expect(page.get_by_role("heading", name="Phone")).to_be_visible()
    return secret, codes


def whole_way(page: Page, place: Place, username: str) -> None:
    sign_in(page, place.issuer, username)
    secret, codes = set_up(page, place)

    page.context.clear_cookies()
    sign_in(page, place.issuer, username)
    expect(page.locator("h1")).to_have_text("Enter your code")
    page.fill("#code", code_of(secret, later=30))
    page.check("[name=trust]")
    page.click("#continue")
    expect_account_of(page, username.title())

    page.context.clear_cookies(name="sid")
    sign_in(page, place.issuer, username)
    expect_account_of(page, username.title())

    page.context.clear_cookies()
    sign_in(page, place.issuer, username)
    page.click("summary")
    page.get_by_role("link", name="Use a recovery code").click()
    page.fill("#recovery_code", codes[0].upper())
    page.click("#continue")
    expect_account_of(page, username.title())


def test_a_second_step_is_set_up_used_trusted_and_replaced_by_a_code(
    place: Place, page: Page
) -> None:
    whole_way(page, place, "ada")


def test_all_of_it_works_without_scripts(place: Place, page_without_scripts: Page) -> None:
    whole_way(page_without_scripts, place, "bob")
