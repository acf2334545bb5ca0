"""Names and addresses as long as they may be, on the narrowest page that people read."""

import re
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from oidc_server.languages import SUPPORTED
from tests.browser_flows.people import authorize_url, expect_account_of, sign_in
from tests.examples.running import PASSWORD, Place, running_place

HOME = "http://localhost:9"
USERNAME = "w" * 64
NAME = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunter"
EMAIL = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 52}.example"
APP = "Verwaltungsgemeinschaftselektrizitaetsversorgungskundenportal"
TOO_WIDE = "() => document.documentElement.scrollWidth - innerWidth"
COVERS_THE_END = """
() => document.querySelector("#password + button").offsetLeft
  < document.querySelector("#password").offsetLeft + document.querySelector("#password").offsetWidth
  - parseFloat(getComputedStyle(document.querySelector("#password")).paddingInlineEnd)
"""
CUT_OFF = """
() => [...document.querySelectorAll(".gate .btn, .gate .chip > :last-child")]
  .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)
"""
AROUND_ITS_WORDS = """
button => {
  const box = button.getBoundingClientRect(), words = document.createRange();
  const icon = button.querySelector(".icon").getBoundingClientRect();
  words.selectNodeContents(button.lastChild);
  const lines = [...words.getClientRects()].filter(line => line.width > 5);  // but the space
  return {
    gap: lines[0].left - icon.right,
    sides: lines.map((line, at) => [(at ? line : icon).left - box.left, box.right - line.right]),
  };
}
"""
AROUND_EACH_LINE = """
paragraph => {
  const box = paragraph.closest(".card").getBoundingClientRect(), lines = {};
  const words = document.createRange();
  words.selectNodeContents(paragraph);
  for (const part of words.getClientRects()) {
    const line = lines[Math.round(part.bottom / 10)] ??= [Infinity, Infinity];
    line[0] = Math.min(line[0], part.left - box.left);
    line[1] = Math.min(line[1], box.right - part.right);
  }
  return Object.values(lines);
}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        identity = ("--username", USERNAME, "--name", NAME, "--email", EMAIL)
        place.command("users", "add", *identity, "--verified", "--password-stdin", send=PASSWORD)
        yield place


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_is_wider_than_the_window_and_nothing_is_cut_off(
    place: Place, page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    client_id = place.add_app(APP, HOME)["CLIENT_ID"]
    asking = partial(authorize_url, place.issuer, client_id, f"{HOME}/callback")
    sign_in(page, place.issuer, USERNAME)
    expect_account_of(page, NAME)

    faults = {}
    for address in (
        f"{place.issuer}/account",
        f"{place.issuer}/account/profile",
        f"{place.issuer}/account/profile/email",
        asking(),
        asking(prompt="select_account"),
        f"{place.issuer}/logout",
    ):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        if (found := (page.evaluate(TOO_WIDE), page.evaluate(CUT_OFF))) != (0, []):
            faults[page.url.partition("?")[0]] = found

    assert faults == {}


@pytest.mark.parametrize("language", SUPPORTED)
def test_no_password_runs_below_the_button_that_shows_it(
    place: Place, page: Page, language: str
) -> None:
    client_id = place.add_app(APP, HOME)["CLIENT_ID"]
    asking = partial(authorize_url, place.issuer, client_id, f"{HOME}/callback")

    page.goto(asking(ui_locales=language))
    expect(page.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))
    button = page.locator("#password + button")
    expect(button).to_be_visible()
    covered = [page.evaluate(COVERS_THE_END)]
    button.click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    covered.append(page.evaluate(COVERS_THE_END))  # its word is another one now

    assert covered == [False, False]


@pytest.mark.parametrize("language", SUPPORTED)
def test_the_words_of_a_button_with_an_icon_are_in_its_middle(
    place: Place, page: Page, language: str
) -> None:
    client_id = place.add_app(APP, HOME)["CLIENT_ID"]
    page.set_viewport_size({"width": 320, "height": 800})

    page.goto(
        authorize_url(
            place.issuer, client_id, f"{HOME}/callback", prompt="create", ui_locales=language
        )
    )
    expect(page.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))
    button = page.locator("[data-passkey=create] .btn")
    expect(button).to_be_visible()
    around = button.evaluate(AROUND_ITS_WORDS)

    assert around["gap"] >= 4
    for left, right in around["sides"]:
        assert min(left, right) >= 12
        assert abs(left - right) <= 4


@pytest.mark.parametrize("width", [320, 1280])
def test_the_reference_of_an_error_is_in_the_middle(place: Place, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})

    page.goto(f"{place.issuer}/nowhere")
    line = page.locator(".ref p")
    sides = line.evaluate(AROUND_EACH_LINE)

    assert re.fullmatch(r"Reference \w+\s· .+", line.inner_text().replace("\n", " "))
    for left, right in sides:
        assert abs(left - right) <= 4
