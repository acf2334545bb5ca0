"""Pages fit on a narrow screen, and are readable in light and in dark."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from tests.browser_flows.people import sign_in
from tests.examples.running import PASSWORD, Place, running_place

HOME = "http://localhost:9"
LEAST_CONTRAST = 4.5  # WCAG 2.2 §1.4.3
PUBLIC = ["/login", "/sign-up", "/password-reset", "/", "/nowhere", "/authorize", "/dev/app"]
PRIVATE = ["/account", "/logout", "/dev/mail"]

# Every text on the page with too little contrast to the nearest background behind it.
PALE = """least => {
  const channels = color => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const background = element => {
    for (let at = element; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return channels("Canvas");
  };
  const texts = [...document.querySelectorAll("body *")].filter(element =>
    element.checkVisibility() && !element.closest("[aria-hidden=true], svg") &&
    [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  if (!texts.length) return ["no text at all"];
  return texts.flatMap(element => {
    const pair = [channels(getComputedStyle(element).color), background(element)].map(luminance);
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    return ratio < least ? [`${element.textContent.trim()}: ${ratio.toFixed(2)}`] : [];
  });
}"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("ada")
        yield place


def problems(page: Page) -> list[str]:
    """What is wrong with the page as it is shown now."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    pale: list[str] = page.evaluate(PALE, LEAST_CONTRAST)
    return ([f"{wide} px too wide"] if wide > 0 else []) + pale


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_every_page_fits_and_is_readable(place: Place, page: Page, color_scheme: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if color_scheme == "dark" else "light")
    found: dict[str, list[str]] = {}

    for path in PUBLIC:
        page.goto(place.issuer + path)
        found[path] = problems(page)
    sign_in(page, place.issuer, "ada", "wrong")
    found["wrong password"] = problems(page)
    sign_in(page, place.issuer, "ada")
    for path in PRIVATE:
        page.goto(place.issuer + path)
        found[path] = problems(page)

    assert {path: problem for path, problem in found.items() if problem} == {}


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_way_of_a_sign_in_fits_and_is_readable(
    place: Place, page: Page, color_scheme: str
) -> None:
    app = place.add_app("An application with a name that has many words", HOME)
    query = {
        "client_id": app["CLIENT_ID"],
        "redirect_uri": f"{HOME}/callback",
        "response_type": "code",
        "scope": "openid profile email offline_access",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if color_scheme == "dark" else "light")

    page.goto(f"{place.issuer}/authorize?{urlencode(query)}")
    at_login = problems(page)
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    page.wait_for_selector("#allow")

    assert (at_login, problems(page)) == ([], [])
