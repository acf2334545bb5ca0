"""The example applications sign a person in, in a real browser, through a real server."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.examples.running import PASSWORD, ROOT, Place, running_place, running_program
from tests.services.node import FOLDER as NODE_FOLDER
from tests.services.node import Node
from tests.services.ports import free_port


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_place(tmp_path) as place:
        yield place


def run_python(place: Place, home: str) -> AbstractContextManager[None]:
    port = home.rpartition(":")[2]
    command = [sys.executable, "-m", "uvicorn", "--port", port, "app:app"]
    command += ["--app-dir", str(ROOT / "examples" / "python")]
    return running_program(command, place.folder, place.add_app("Python example", home), home)


def run_javascript(node: Node, place: Place, home: str) -> AbstractContextManager[None]:
    folder = place.folder / "javascript"
    folder.mkdir()
    for name in ("app.js", "package.json"):
        shutil.copy(ROOT / "examples" / "javascript" / name, folder / name)
    (folder / "node_modules").symlink_to(NODE_FOLDER / "node_modules")
    environment = place.add_app("JavaScript example", home) | {"PORT": home.rpartition(":")[2]}
    return running_program([node.program, "app.js"], folder, environment, home)


def reload_until_shown(page: Page, sought: Locator) -> None:
    """Reload a page until something is on it that a job of the server puts there."""
    for _ in range(100):
        if sought.count():
            return
        page.wait_for_timeout(100)
        page.reload()
    expect(sought).to_be_visible()


def test_a_person_signs_up_allows_and_is_signed_in_at_the_python_example(
    place: Place, page: Page
) -> None:
    home = f"http://localhost:{free_port()}"
    with run_python(place, home):
        page.goto(home)
        page.click("#sign-in")
        page.get_by_role("link", name="Create an account").click()
        page.fill("#username", "grace")
        page.fill("#email", "grace@example.com")
        page.fill("#name", "Grace Hopper")
        page.fill("#password", PASSWORD)
        page.click("#sign-up")
        expect(page.locator("h1")).to_contain_text("Python example wants")
        page.click("#allow")

        expect(page.locator("#person")).to_have_text("Grace Hopper (grace@example.com)")


def test_a_person_signs_in_and_out_of_the_python_example(place: Place, page: Page) -> None:
    place.add_user("ada")
    home = f"http://localhost:{free_port()}"
    with run_python(place, home):
        page.goto(home)
        page.click("#sign-in")
        page.fill("#username", "ada")
        page.fill("#password", PASSWORD)
        page.click("#sign-in")
        page.click("#allow")
        expect(page.locator("#person")).to_have_text("Ada (ada@example.com)")

        page.click("#sign-out")

        expect(page).to_have_url(f"{home}/")
        page.click("#sign-in")
        expect(page.locator("#username")).to_be_visible()


def test_the_javascript_example_signs_a_person_in_and_out(
    place: Place, page: Page, node: Node
) -> None:
    place.add_user("ada")
    home = f"http://localhost:{free_port()}"
    with run_javascript(node, place, home):
        page.goto(home)
        page.click("#sign-in")
        page.fill("#username", "ada@example.com")
        page.fill("#password", PASSWORD)
        page.click("#sign-in")
        page.click("#allow")
        expect(page.locator("#person")).to_have_text("Ada (ada@example.com)")

        page.click("#sign-out")

        expect(page.locator("#sign-in")).to_be_visible()
        expect(page).to_have_url(f"{home}/")


def test_refusing_tells_the_application(place: Place, page: Page) -> None:
    place.add_user("ada")
    home = f"http://localhost:{free_port()}"
    with run_python(place, home):
        page.goto(f"{home}/sign-in")
        page.fill("#username", "ada")
        page.fill("#password", PASSWORD)
        page.click("#sign-in")
        page.click("#deny")

        expect(page.locator("#refused")).to_have_text("access_denied")


def test_refusing_tells_the_javascript_application(place: Place, page: Page, node: Node) -> None:
    place.add_user("ada")
    home = f"http://localhost:{free_port()}"
    with run_javascript(node, place, home):
        page.goto(f"{home}/sign-in")
        page.fill("#username", "ada")
        page.fill("#password", PASSWORD)
        page.click("#sign-in")
        page.click("#deny")

        expect(page.locator("#refused")).to_have_text("access_denied")


def test_everything_works_without_scripts(place: Place, page_without_scripts: Page) -> None:
    page = page_without_scripts
    place.add_user("ada")
    home = f"http://localhost:{free_port()}"
    with run_python(place, home):
        page.goto(f"{home}/sign-in")
        page.fill("#username", "ada")
        page.fill("#password", PASSWORD)
        page.click("#sign-in")
        page.click("#allow")
        expect(page.locator("#person")).to_have_text("Ada (ada@example.com)")

        page.click("#sign-out")

        expect(page).to_have_url(f"{home}/")


def test_the_javascript_example_is_locked_by_hash_without_addresses() -> None:
    lock = json.loads((ROOT / "examples" / "javascript" / "package-lock.json").read_text())
    tested = json.loads((NODE_FOLDER / "package-lock.json").read_text())["packages"]

    packages = {name: package for name, package in lock["packages"].items() if name}

    assert packages
    assert all("integrity" in package for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
    client = "node_modules/openid-client"
    assert packages[client]["version"] == tested[client]["version"]


def test_a_newcomer_sees_a_whole_sign_in_with_the_sample_app(place: Place, page: Page) -> None:
    page.goto(f"{place.issuer}/dev/app")
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("link", name="Create an account").click()
    page.fill("#username", "grace")
    page.fill("#email", "grace@example.com")
    page.fill("#name", "Grace Hopper")
    page.fill("#password", PASSWORD)
    page.click("#sign-up")
    page.click("#allow")

    expect(page.locator("body")).to_contain_text("grace@example.com")
    page.goto(f"{place.issuer}/dev/mail")
    reload_until_shown(page, page.get_by_role("link", name="Confirm your"))
    page.get_by_role("link", name="Confirm your").click()
    expect(page.locator("body")).to_contain_text("grace@example.com")
