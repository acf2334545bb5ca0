"""A single-page application made with oidc-client-ts, whose scripts have another origin."""

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.examples.running import PASSWORD, Place, running_place
from tests.services.node import FOLDER, MISSING_PACKAGES

LIBRARY = FOLDER / "node_modules" / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js"
SCOPE = "openid profile email"


class _Files(SimpleHTTPRequestHandler):
    """The application's own files, and the library; every address without a file is its page."""

    def translate_path(self, path: str) -> str:
        name = path.partition("?")[0].strip("/")
        if name == "oidc-client-ts.js":
            return str(LIBRARY)
        file = FOLDER / "spa" / (name or "index.html")
        return str(file if file.is_file() else FOLDER / "spa" / "index.html")

    def log_message(self, *_args: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    """Where the application is: an origin of its own."""
    if not LIBRARY.is_file():
        pytest.skip(MISSING_PACKAGES)
    with ThreadingHTTPServer(("localhost", 0), partial(_Files, directory=str(FOLDER))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("ada")
        yield place


@pytest.fixture(scope="module")
def client_id(place: Place, home: str) -> str:
    made = place.command(
        *("clients", "add", "--name", "Notes", "--type", "spa", "--redirect-uri", f"{home}/"),
        *("--post-logout-redirect-uri", f"{home}/bye", "--skip-consent"),
    )
    return str(made["client_id"])


class App:
    """The application in a browser."""

    def __init__(self, page: Page, home: str, settings: dict[str, Any]) -> None:
        self.page = page
        page.goto(f"{home}/?settings={quote(json.dumps(settings))}")

    def state(self) -> dict[str, Any]:
        self.page.wait_for_function("document.querySelector('#state')?.textContent != 'loading'")
        shown: dict[str, Any] = json.loads(self.page.inner_text("#state"))
        return shown

    def call(self, what: str) -> Any:
        return self.page.evaluate(f"app.{what}()")

    def leave_by(self, what: str) -> None:
        """Call what navigates away: there is nothing to wait for on this page."""
        self.page.evaluate(f"void app.{what}()")

    def sign_in(self) -> dict[str, Any]:
        self.leave_by("signIn")
        sign_in(self.page)
        self.page.wait_for_selector("#state")
        user: dict[str, Any] = self.state()["user"]
        return user


def sign_in(page: Page) -> None:
    page.wait_for_selector("#sign-in")
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")


@pytest.fixture
def app(browser_context: BrowserContext, place: Place, home: str, client_id: str) -> App:
    settings = {"authority": place.issuer, "client_id": client_id, "scope": SCOPE}
    return App(browser_context.new_page(), home, settings)


def test_a_script_signs_a_person_in_and_reads_who_it_is(app: App) -> None:
    assert app.state() == {"user": None}

    user = app.sign_in()

    assert user["name"] == "Ada"
    assert user["email"] == "ada@example.com"
    assert user["refresh_token"]


def test_a_script_renews_silently_with_its_refresh_token(app: App) -> None:
    first = app.sign_in()

    renewed = app.call("renew")

    assert renewed["sub"] == first["sub"]
    assert renewed["access_token"] != first["access_token"]
    assert renewed["refresh_token"] != first["refresh_token"]


def test_a_script_renews_silently_in_a_frame_while_the_session_lives(app: App) -> None:
    first = app.sign_in()

    renewed = app.call("renewInFrame")

    assert renewed["sub"] == first["sub"]
    assert renewed["access_token"] != first["access_token"]


def test_a_pop_up_tells_the_window_that_opened_it(app: App) -> None:
    with app.page.expect_popup() as opened:
        app.page.evaluate("void (window.answer = app.signInWithPopup())")
    sign_in(opened.value)

    user = app.page.evaluate("window.answer")

    assert user["name"] == "Ada"


def test_signing_out_ends_the_session_and_comes_back(app: App, home: str) -> None:
    app.sign_in()

    app.leave_by("signOut")
    app.page.wait_for_url(f"{home}/bye**")

    assert app.state() == {"user": None}
    app.leave_by("signIn")
    app.page.wait_for_selector("#sign-in")


def test_a_frame_is_told_that_nobody_is_signed_in(app: App, place: Place) -> None:
    app.sign_in()
    app.page.context.clear_cookies()

    renewed = app.call("renewInFrame")

    assert renewed == {"error": "login_required"}


def test_scripts_of_an_origin_that_nobody_registered_read_nothing(
    browser_context: BrowserContext, place: Place
) -> None:
    stranger = browser_context.new_page()
    with ThreadingHTTPServer(("localhost", 0), partial(_Files, directory=str(Path.cwd()))) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        stranger.goto(f"http://localhost:{other.server_port}/")
        read = stranger.evaluate(
            """async issuer => {
                const found = {};
                for (const path of ["/jwks.json", "/token", "/userinfo", "/introspect", "/account"])
                    found[path] = await fetch(issuer + path).then(() => "read", () => "refused");
                return found;
            }""",
            place.issuer,
        )
        other.shutdown()

    assert read == {
        "/jwks.json": "read",
        "/token": "refused",
        "/userinfo": "refused",
        "/introspect": "refused",
        "/account": "refused",
    }
