"""Pages fit on a narrow screen, and axe-core finds no barrier, in light and in dark."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from playwright.sync_api import Page

from tests.browser_flows.people import sign_in
from tests.examples.running import PASSWORD, Place, running_place
from tests.services.node import FOLDER, MISSING_PACKAGES

HOME = "http://localhost:9"
AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
PUBLIC = [
    "/login",
    "/sign-up",
    "/password-reset",
    "/device",
    "/",
    "/nowhere",
    "/authorize",
    "/dev/app",
]
PRIVATE = [
    "/account",
    "/account/profile",
    "/account/activity",
    "/account/security",
    "/account/security/password",
    "/logout",
    "/dev/mail",
]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("ada")
        yield place


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        pytest.skip(MISSING_PACKAGES)
    return AXE.read_text()


def problems(page: Page, axe: str) -> list[str]:
    """What is wrong with the page as it is shown now."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("tags => axe.run({runOnly: tags})", RULES)
    assert found["passes"]
    return ([f"{wide} px too wide"] if wide > 0 else []) + [
        f"{rule['id']}: {node['html']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_every_page_fits_and_is_accessible(
    place: Place, page: Page, axe: str, color_scheme: str
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if color_scheme == "dark" else "light")
    found: dict[str, list[str]] = {}

    for path in PUBLIC:
        page.goto(place.issuer + path)
        found[path] = problems(page, axe)
    sign_in(page, place.issuer, "ada", "wrong")
    found["wrong password"] = problems(page, axe)
    sign_in(page, place.issuer, "ada")
    for path in PRIVATE:
        page.goto(place.issuer + path)
        found[path] = problems(page, axe)
    page.goto(f"{place.issuer}/logout")
    page.click("#log-out")
    page.get_by_role("heading", name="You are signed out").wait_for()
    found["signed out"] = problems(page, axe)

    assert {path: problem for path, problem in found.items() if problem} == {}


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_way_of_a_sign_in_fits_and_is_accessible(
    place: Place, page: Page, axe: str, color_scheme: str
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
    at_login = problems(page, axe)
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    page.wait_for_selector("#allow")
    at_consent = problems(page, axe)
    page.goto(f"{place.issuer}/authorize?{urlencode({**query, 'prompt': 'select_account'})}")
    page.wait_for_selector("#go-on")

    assert (at_login, at_consent, problems(page, axe)) == ([], [], [])


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_way_of_a_device_fits_and_is_accessible(
    place: Place, page: Page, axe: str, color_scheme: str
) -> None:
    client_id = place.command(
        *("clients", "add", "--name", "A terminal with a name that has many words"),
        *("--type", "native", "--grant-type", "urn:ietf:params:oauth:grant-type:device_code"),
        *("--grant-type", "refresh_token"),
    )["client_id"]
    asked = httpx2.post(
        f"{place.issuer}/device_authorization",
        data={"client_id": client_id, "scope": "openid profile email offline_access"},
    ).json()
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if color_scheme == "dark" else "light")
    found: dict[str, list[str]] = {}

    page.goto(f"{place.issuer}/device?user_code=WDJB-MJHT")
    page.click("#go-on")
    found["wrong code"] = problems(page, axe)
    page.goto(asked["verification_uri_complete"])
    page.click("#go-on")
    page.wait_for_selector("#sign-in")
    found["sign-in"] = problems(page, axe)
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    page.wait_for_selector("#allow")
    found["question"] = problems(page, axe)
    page.click("#allow")
    found["not compared"] = problems(page, axe)
    page.check("[name=same_code]")
    page.click("#allow")
    page.wait_for_selector("text=Your device is connected")
    found["connected"] = problems(page, axe)

    assert {shown: problem for shown, problem in found.items() if problem} == {}
