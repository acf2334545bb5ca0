"""One server for all pages, and the eyes that look at them."""

import html
import re
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Page

from tests.browser_flows.every_page.looking import Look
from tests.examples.running import Place, running_place
from tests.services.node import FOLDER, MISSING_PACKAGES

AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
_PATIENCE = 60.0


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Administrators of this server must have a second step; applications register themselves."""
    folder = tmp_path_factory.mktemp("place")
    with running_place(folder, OIDC_SECOND_FACTOR="admins", OIDC_REGISTRATION="open") as place:
        place.add_user("ada")
        yield place


@pytest.fixture
def look(page: Page, request: pytest.FixtureRequest) -> Iterator[Look]:
    """Fails the test, when it is over, for all that was wrong with the pages it has shown."""
    if not AXE.is_file():
        pytest.skip(MISSING_PACKAGES)
    look = Look(page, AXE.read_text(), request.config.getoption("screenshots"))
    yield look
    assert look.faults() == {}


@pytest.fixture
def mailed(place: Place) -> Callable[[str, str], str]:
    """Finds what matches in the newest mail to somebody that holds such a thing."""

    def find(username: str, pattern: str) -> str:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for address in re.findall(r'href="(/dev/mail/[^"]+)"', _text(place, "/dev/mail")):
                mail = _text(place, address)
                if f"{username}@example.com" in mail and (found := re.search(pattern, mail)):
                    return found[0]
            time.sleep(0.1)
        raise AssertionError(f"no mail holds {pattern}")

    return find


def _text(place: Place, path: str) -> str:
    return html.unescape(httpx2.get(place.issuer + path).text)
