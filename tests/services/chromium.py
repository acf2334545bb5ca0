"""A real browser: the system's Chromium, driven by Playwright.

The browser lives as long as a test module: Playwright keeps an event loop running in the thread,
and a test elsewhere that starts a loop of its own must not meet it.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    expect,
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
_THIS_MACHINE = ("localhost", "127.0.0.1")
_PATIENCE = 60_000.0
"""Milliseconds, for whatever a page has to do before a test goes on."""
_VIOLATION = re.compile("content security policy", re.IGNORECASE)

expect.set_options(timeout=_PATIENCE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="folder for pictures of every page")


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
    with _profile(chromium) as context:
        yield context


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """A page. The test fails if it breaks its own rules: see `_watch`."""
    with _watched_page(browser_context) as page:
        yield page


@pytest.fixture
def page_without_scripts(chromium: Browser) -> Iterator[Page]:
    """A page of somebody who has switched scripts off; else like `page`."""
    with (
        _profile(chromium, java_script_enabled=False) as context,
        _watched_page(context) as page,
    ):
        yield page


_BOTH = [pytest.param(name, marks=pytest.mark.browser) for name in ("scripts", "no scripts")]


@pytest.fixture(params=_BOTH)
def either_page(request: pytest.FixtureRequest) -> Page:
    """The test runs twice: with `page`, and with `page_without_scripts`."""
    name = "page" if request.param == "scripts" else "page_without_scripts"
    page: Page = request.getfixturevalue(name)
    return page


@contextmanager
def _profile(chromium: Browser, *, java_script_enabled: bool = True) -> Iterator[BrowserContext]:
    context = chromium.new_context(
        locale="en-GB",
        viewport={"width": 1280, "height": 800},
        java_script_enabled=java_script_enabled,
        reduced_motion="reduce",  # a picture shows one page, not the way from one to the next
    )
    context.set_default_timeout(_PATIENCE)
    yield context
    context.close()


@contextmanager
def _watched_page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    problems = _watch(page)
    yield page
    assert not problems


def _watch(page: Page) -> list[str]:
    """Note what no page of ours may do.

    That is: a script that throws, a break of its own policy (CSP), anything loaded from another
    origin, and a way that leads off this machine.
    """
    problems = list[str]()

    def note_error(error: Error) -> None:
        problems.append(f"script error: {error}")

    def note_violation(message: ConsoleMessage) -> None:
        if _VIOLATION.search(message.text):
            problems.append(message.text)

    def note_request(request: Request) -> None:
        asked = urlsplit(request.url)
        if request.is_navigation_request():
            is_allowed = asked.hostname in _THIS_MACHINE
        else:
            shown = urlsplit(request.frame.url)
            is_allowed = (asked.scheme, asked.netloc) == (shown.scheme, shown.netloc)
        if not is_allowed and asked.scheme != "data":
            problems.append(f"request to another origin: {request.url}")

    page.on("pageerror", note_error)
    page.on("console", note_violation)
    page.on("request", note_request)
    return problems
