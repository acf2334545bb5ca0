"""Signing out in a real browser: frames of other applications are loaded, and the way goes on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.examples.running import PASSWORD, Place, running_place
from tests.services.external_service import ExternalService, external_service, saying

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
HERE = saying(b"<!doctype html><title>App</title><h1>The app</h1>", content_type="text/html")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("ada")
        yield place


@dataclass(frozen=True)
class App:
    """An application that is told in a frame, and where it lives."""

    server: ExternalService
    client_id: str
    client_secret: str

    @property
    def asked(self) -> list[str]:
        return [path for _, path, _, _ in self.server.asked]


@pytest.fixture
def app(place: Place) -> Iterator[App]:
    with external_service(HERE) as server:
        made = place.command(
            *("clients", "add", "--name", "Ledger", "--type", "web", "--skip-consent"),
            *("--redirect-uri", server.url("/callback")),
            *("--post-logout-redirect-uri", server.url("/signed-out")),
            *("--frontchannel-logout-uri", server.url("/front")),
        )
        yield App(server, made["client_id"], made["client_secret"])


def sign_in_at(page: Page, place: Place, app: App) -> str:
    """Sign in at the application; returns the address of its sign-out."""
    redirect_uri = app.server.url("/callback")
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    page.goto(f"{place.issuer}/authorize?{urlencode(query)}")
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    page.wait_for_url(f"{redirect_uri}?*")
    fields = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(page.url).query)["code"][0],
        "redirect_uri": redirect_uri,
        "code_verifier": VERIFIER,
    }
    answer = httpx2.post(
        f"{place.issuer}/token", data=fields, auth=(app.client_id, app.client_secret)
    )
    asking = {
        "id_token_hint": answer.json()["id_token"],
        "post_logout_redirect_uri": app.server.url("/signed-out"),
        "state": "as it came",
    }
    return f"{place.issuer}/logout?{urlencode(asking)}"


def assert_told_and_back(page: Page, place: Place, app: App) -> None:
    page.wait_for_url(app.server.url("/signed-out?state=as%20it%20came"))
    front = [path for path in app.asked if path.startswith("/front?")]
    told = parse_qs(urlsplit(front[0]).query)
    assert (told["iss"], list(told)) == ([place.issuer], ["iss", "sid"])
    assert app.asked.index(front[0]) < app.asked.index("/signed-out?state=as%20it%20came")


def test_the_frame_is_loaded_and_then_the_way_goes_on(page: Page, place: Place, app: App) -> None:
    page.goto(sign_in_at(page, place, app))

    assert_told_and_back(page, place, app)


def test_it_goes_on_without_scripts(page_without_scripts: Page, place: Place, app: App) -> None:
    page = page_without_scripts

    page.goto(sign_in_at(page, place, app))

    assert_told_and_back(page, place, app)


def hold(app: App) -> Event:
    """Have the application answer in its frame when the event is set, and at once elsewhere."""
    release = Event()

    def behave(handler: Any) -> None:
        if handler.path.startswith("/front"):
            release.wait(30)
        HERE(handler)

    app.server.behaviour = behave
    return release


def test_a_frame_that_hangs_holds_nobody_up(page: Page, place: Place, app: App) -> None:
    address = sign_in_at(page, place, app)
    release = hold(app)

    begun = time.monotonic()
    page.goto(address, wait_until="commit")
    assert_told_and_back(page, place, app)

    assert time.monotonic() - begun < 20
    release.set()


def test_without_scripts_a_link_leads_on_while_a_frame_hangs(
    page_without_scripts: Page, place: Place, app: App
) -> None:
    page = page_without_scripts
    address = sign_in_at(page, place, app)
    release = hold(app)

    page.goto(address, wait_until="commit")
    expect(page.locator("h1")).to_have_text("You are signed out")
    page.locator("#go-on").click(no_wait_after=True)

    assert_told_and_back(page, place, app)
    release.set()
