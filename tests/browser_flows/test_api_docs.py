"""The pages about the API: shown by other people's programs, under our policy."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.examples.running import PASSWORD, Place, running_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("ada")
        yield place


def test_somebody_signs_in_on_the_page_of_the_api_and_calls_it(place: Place, page: Page) -> None:
    page.goto(f"{place.issuer}/docs")
    page.locator("button.authorize").click()
    dialog = page.locator(".auth-container").filter(has_text="authorizationCode")
    expect(dialog).to_contain_text("PKCE")
    dialog.get_by_text("credits:read").click()
    with page.expect_popup() as opened:
        dialog.get_by_role("button", name="Apply given OAuth2").click()
    popup = opened.value
    popup.fill("#username", "ada")
    popup.fill("#password", PASSWORD)
    popup.click("#sign-in")
    with popup.expect_event("close"):
        popup.click("#allow")
    page.get_by_role("button", name="Close").first.click()

    operation = page.locator(".opblock").filter(has_text="/api/v1/credits/balance")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("user_id").fill("")
    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table")
    expect(answer).to_contain_text('"balance": "0.00"')


def test_the_api_can_be_read_and_searched(place: Place, page: Page) -> None:
    page.goto(f"{place.issuer}/redoc")

    expect(page.get_by_role("heading", name="Your ID: API")).to_be_visible()
    page.get_by_role("link", name="Credits").first.click()
    expect(page.get_by_text("Read a balance").first).to_be_visible()
    expect(page.get_by_test_id("page-actions").first).to_be_hidden()


@pytest.mark.parametrize(("path", "shown"), [("/docs", ".opblock"), ("/redoc", "h1")])
def test_the_pages_about_the_api_fit_a_narrow_screen(
    place: Place, page: Page, path: str, shown: str
) -> None:
    page.set_viewport_size({"width": 320, "height": 900})

    page.goto(f"{place.issuer}{path}")
    expect(page.locator(shown).last).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == 320
