"""A device without a browser is connected in one, with scripts and without."""

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


def redeem(place: Place, client_id: str, device_code: str) -> httpx2.Response:
    data = {"grant_type": GRANT_TYPE, "client_id": client_id, "device_code": device_code}
    return httpx2.post(f"{place.issuer}/token", data=data)


def test_a_code_is_typed_compared_and_allowed(place: Place, either_page: Page) -> None:
    page = either_page
    client_id = place.command(
        *("clients", "add", "--name", "Terminal", "--type", "native", "--grant-type", GRANT_TYPE)
    )["client_id"]
    asked = httpx2.post(
        f"{place.issuer}/device_authorization", data={"client_id": client_id, "scope": "openid"}
    ).json()
    sign_in(page, place.issuer, "ada")

    page.goto(asked["verification_uri"])
    page.fill("[name=user_code]", asked["user_code"])
    page.click("#go-on")
    expect(page.locator("h1")).to_have_text("Is this your device?")
    page.click("#allow")
    expect(page.get_by_role("alert")).to_contain_text("Compare the code")
    page.check("[name=same_code]")
    page.click("#allow")

    expect(page.locator("h1")).to_have_text("Your device is connected")
    assert "id_token" in redeem(place, client_id, asked["device_code"]).json()
