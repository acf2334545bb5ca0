"""A real browser: the system's Chromium, driven by Playwright.

The browser lives as long as a test module: Playwright keeps an event loop running in the thread,
and a test elsewhere that starts a loop of its own must not meet it.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    sync_playwright,
)

MISSING = "no Chromium: install the Debian package chromium"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",  # its sandbox cannot be had as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_VIOLATION = re.compile("content security policy", re.IGNORECASE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots", type=Path, help="folder for a picture of each test's last page"
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser, without any page yet."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser profile for one test: no cookies, no storage, English."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page. The test fails if a script on it throws, or if it breaks its own policy (CSP)."""
    page, problems = browser_context.new_page(), list[str]()

    def note_error(error: Error) -> None:
        problems.append(f"script error: {error}")

    def note_violation(message: ConsoleMessage) -> None:
        if _VIOLATION.search(message.text):
            problems.append(message.text)

    page.on("pageerror", note_error)
    page.on("console", note_violation)
    yield page
    _take_picture(page, request)
    assert not problems


def _take_picture(page: Page, request: pytest.FixtureRequest) -> None:
    folder: Path | None = request.config.getoption("screenshots")
    if folder and not page.is_closed():
        name = re.sub(r"[^\w\[\]-]+", "_", request.node.name)
        page.screenshot(path=folder / f"{name}.png", full_page=True)
