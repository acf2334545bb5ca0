"""A device without a browser is connected in one, with scripts and without."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.people import sign_in
from tests.examples.running import Place, running_place

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("ada")
        yield place


@pytest.fixture(scope="module")
def client_id(place: Place) -> str:
    made = place.command(
        *("clients", "add", "--name", "Terminal", "--type", "native", "--grant-type", GRANT_TYPE)
    )
    return str(made["client_id"])


def redeem(place: Place, client_id: str, device_code: str) -> httpx2.Response:
    data = {"grant_type": GRANT_TYPE, "client_id": client_id, "device_code": device_code}
    return httpx2.post(f"{place.issuer}/token", data=data)


def ask(place: Place, client_id: str) -> dict[str, str]:
    data = {"client_id": client_id, "scope": "openid"}
    answer: dict[str, str] = httpx2.post(f"{place.issuer}/device_authorization", data=data).json()
    return answer


def question(page: Page, asked: dict[str, str]) -> None:
    """Type the code."""
    page.goto(asked["verification_uri"])
    page.fill("[name=user_code]", asked["user_code"])
    page.click("#go-on")
    expect(page.locator("h1")).to_have_text("Is this your device?")


def test_a_code_is_typed_compared_and_allowed(
    place: Place, client_id: str, either_page: Page
) -> None:
    page, asked = either_page, ask(place, client_id)
    sign_in(page, place.issuer, "ada")

    question(page, asked)
    page.click("#allow")
    expect(page.get_by_role("alert")).to_contain_text("Compare the code")
    expect(page.get_by_role("alert")).to_be_focused()
    box = page.locator("[name=same_code]")
    expect(box).to_have_accessible_description(re.compile("Compare the code"))
    box.check()
    page.click("#allow")

    expect(page.locator("h1")).to_have_text("Your device is connected")
    assert "id_token" in redeem(place, client_id, asked["device_code"]).json()


def test_the_enter_key_decides_nothing_before_one_has_chosen(
    place: Place, client_id: str, either_page: Page
) -> None:
    page, asked = either_page, ask(place, client_id)
    sign_in(page, place.issuer, "ada")
    question(page, asked)

    page.press("[name=same_code]", "Enter")
    page.press("[name=same_code]", "Space")
    page.press("#allow", "Enter")

    expect(page.locator("h1")).to_have_text("Your device is connected")
