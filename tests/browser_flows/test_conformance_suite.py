"""What `docs/conformance.md` tells the browser of the conformance suite, done in a browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.examples.running import PASSWORD, Place, running_place
from tests.services.external_service import ExternalService, external_service, saying

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
DONE = saying(b"<p id=submission_complete>Done</p>", content_type="text/html")
CALLBACK = "/test/a/ALIAS/callback"
SECOND = 1000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        place.add_user("suite")
        yield place


@pytest.fixture
def suite() -> Iterator[ExternalService]:
    with external_service(DONE) as running:
        yield running


@pytest.fixture
def address(place: Place, suite: ExternalService) -> str:
    """An authorization request of a client of the suite."""
    made = place.command(
        *("clients", "add", "--name", "Suite 1", "--type", "web", "--no-pkce"),
        *("--redirect-uri", suite.url(CALLBACK)),
    )
    query = {
        "client_id": made["client_id"],
        "redirect_uri": suite.url(CALLBACK),
        "response_type": "code",
        "scope": "openid",
        "state": "s",
    }
    return f"{place.issuer}/authorize?{urlencode(query)}"


class Suite:
    """Does in a browser what the entry says."""

    def __init__(self, page: Page, issuer: str) -> None:
        self.page = page
        [block] = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        here = block.replace("https://id.example.com", issuer).replace("https://*", "http://*")
        [self.entry] = json.loads(here.replace("PASSWORD", PASSWORD))
        self.pictures: list[str] = []

    def visit(self, address: str) -> None:
        assert matches(self.entry["match"], address)
        self.page.goto(address)
        for task in self.entry["tasks"]:
            if matches(task["match"], self.page.url):
                for command in task["commands"]:
                    self.act(*command)
            else:
                assert task["optional"]

    def act(self, command: str, kind: str, target: str, *more: Any) -> None:
        found = self.page.locator(f"#{target}" if kind == "id" else target)
        match command:
            case "text":
                found.fill(more[0])
            case "click":
                if "optional" not in more or found.count():
                    found.click()
                    self.page.wait_for_load_state()
            case "wait":
                expect(found).to_be_visible(timeout=more[0] * SECOND)
                if len(more) > 1:
                    assert re.search(more[1], found.inner_text())
                    self.pictures.append(found.inner_text())


def matches(pattern: str, address: str) -> bool:
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), address) is not None


def test_it_signs_in_and_out_and_photographs_what_a_person_has_to_review(
    page: Page, place: Place, suite: ExternalService, address: str
) -> None:
    driver = Suite(page, place.issuer)

    driver.visit(address)
    arrived = page.url
    driver.visit(f"{address}&prompt=login")
    driver.visit(address.replace("callback", "elsewhere"))
    driver.visit(f"{place.issuer}/logout")

    assert arrived.startswith(suite.url(f"{CALLBACK}?code="))
    assert driver.pictures == [
        "Sign in",
        "Sign in",
        "Suite 1 is not set up correctly",
        "You are signed out",
    ]
