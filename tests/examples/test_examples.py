"""The example applications sign a person in, in a real browser, through a real server."""

import json
import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.people import reload_until_shown
from tests.examples.running import PASSWORD, ROOT, Place, running_place, running_program
from tests.services.node import FOLDER as NODE_FOLDER
from tests.services.node import Node
from tests.services.ports import free_port


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.fixture(scope="module")
def python_example(place: Place) -> Iterator[str]:
    """Where the Python example runs."""
    home = f"http://localhost:{free_port()}"
    port = home.rpartition(":")[2]
    command = [sys.executable, "-m", "uvicorn", "--port", port, "app:app"]
    command += ["--app-dir", str(ROOT / "examples" / "python")]
    with running_program(command, place.folder, place.add_app("Python example", home), home):
        yield home


@pytest.fixture(scope="module")
def javascript_example(node: Node, place: Place) -> Iterator[str]:
    """Where the JavaScript example runs."""
    home = f"http://localhost:{free_port()}"
    folder = place.folder / "javascript"
    folder.mkdir()
    for name in ("app.js", "package.json"):
        shutil.copy(ROOT / "examples" / "javascript" / name, folder / name)
    (folder / "node_modules").symlink_to(NODE_FOLDER / "node_modules")
    environment = place.add_app("JavaScript example", home) | {"PORT": home.rpartition(":")[2]}
    with running_program([node.program, "app.js"], folder, environment, home):
        yield home


def sign_in(page: Page, username: str) -> None:
    """Send the sign-in page, which is shown."""
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("#sign-in")


def sign_up(page: Page, username: str) -> None:
    """Go from the sign-in page, which is shown, to a new account."""
    page.get_by_role("link", name="Create an account").click()
    page.fill("#username", username)
    page.fill("#email", f"{username}@example.com")
    page.fill("#name", f"{username.title()} Hopper")
    page.fill("#password", PASSWORD)
    page.click("#sign-up")


def test_a_person_signs_up_allows_and_is_signed_in_at_the_python_example(
    python_example: str, page: Page
) -> None:
    page.goto(python_example)
    page.click("#sign-in")

    sign_up(page, "grace")
    expect(page.locator("h1")).to_contain_text("Python example wants")
    page.click("#allow")

    expect(page.locator("#person")).to_have_text("Grace Hopper (grace@example.com)")


def test_a_person_signs_in_and_out_of_the_python_example(
    place: Place, python_example: str, page: Page
) -> None:
    place.add_user("ada", named=False)
    page.goto(python_example)
    page.click("#sign-in")
    sign_in(page, "ada")
    page.click("#allow")
    expect(page.locator("#person")).to_have_text("ada (ada@example.com)")

    page.click("#sign-out")

    expect(page).to_have_url(f"{python_example}/")
    page.click("#sign-in")
    expect(page.locator("#username")).to_be_visible()


def test_the_javascript_example_signs_a_person_in_and_out(
    place: Place, javascript_example: str, page: Page
) -> None:
    place.add_user("barbara", named=False)
    page.goto(javascript_example)
    page.click("#sign-in")
    sign_in(page, "barbara@example.com")
    page.click("#allow")
    expect(page.locator("#person")).to_have_text("barbara (barbara@example.com)")

    page.click("#sign-out")

    expect(page.locator("#sign-in")).to_be_visible()
    expect(page).to_have_url(f"{javascript_example}/")


@pytest.mark.parametrize(
    "example", ["python_example", pytest.param("javascript_example", marks=pytest.mark.node)]
)
def test_refusing_tells_the_application(
    example: str, page: Page, request: pytest.FixtureRequest
) -> None:
    home: str = request.getfixturevalue(example)
    page.goto(f"{home}/sign-in")

    sign_up(page, f"nobody-of-{example.partition('_')[0]}")
    page.click("#deny")

    expect(page.locator("#refused")).to_have_text("access_denied")


def test_everything_works_without_scripts(python_example: str, page_without_scripts: Page) -> None:
    page = page_without_scripts
    page.goto(f"{python_example}/sign-in")

    sign_up(page, "edith")
    page.click("#allow")
    expect(page.locator("#person")).to_have_text("Edith Hopper (edith@example.com)")

    page.click("#sign-out")
    expect(page).to_have_url(f"{python_example}/")
    page.goto(f"{python_example}/sign-in")
    sign_in(page, "edith")
    expect(page.locator("#person")).to_have_text("Edith Hopper (edith@example.com)")


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
    page.click("#app-sign-in")

    sign_up(page, "katherine")
    page.click("#allow")

    expect(page.locator("h1")).to_have_text("You are signed in")
    expect(page.locator("body")).to_contain_text("katherine@example.com")
    page.click("#app-sign-out")
    expect(page.locator("#app-sign-in")).to_be_visible()


def test_a_newcomer_finds_the_mails_in_the_mailbox(place: Place, page: Page) -> None:
    page.goto(f"{place.issuer}/login")
    sign_up(page, "mary")

    page.goto(f"{place.issuer}/dev/mail")
    reload_until_shown(page, page.get_by_text("mary@example.com"))
    page.get_by_role("listitem").filter(has_text="mary@").get_by_role("link").click()

    expect(page.get_by_role("main")).to_contain_text("/verify-email?link=")
