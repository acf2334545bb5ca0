"""From an app to us, to another provider and back, in a real browser, with scripts and without.

The provider is another one of us: its pages allow their forms to lead to our callback and no
further, so this shows too that we do not go on from there within the same redirects.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.people import authorize_url, expect_account_of, sign_in
from tests.examples.running import PASSWORD, Place, running_place
from tests.factories import Person
from tests.services.databases import sqlite_url
from tests.services.deployment import Deployment, deployed
from tests.services.external_service import external_service, saying


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("here"), OIDC_SIGN_UP="open") as place:
        place.add_user("ada")
        yield place


@pytest.fixture(scope="module")
def elsewhere(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Another server under another host name, since browsers share cookies between ports."""
    folder = tmp_path_factory.mktemp("there")
    with deployed(folder, sqlite_url(folder), workers=1) as other:
        made = other.command_line.json(
            *("clients", "add", "--name", "Here", "--type", "web"),
            *("--redirect-uri", f"{place.issuer}/login/providers/acme/callback"),
        )
        place.command(
            *("providers", "add", "acme", "--label", "Acme", "--issuer", other.issuer),
            *("--client-id", made["client_id"], "--secret-stdin"),
            send=made["client_secret"],
        )
        yield other


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    """Where the app is: it says that it is there, and no more."""
    with external_service(saying(b"the app", content_type="text/plain")) as app:
        yield app.url("", host="localhost")


def sign_in_there(page: Page, person: Person) -> None:
    page.fill("#username", person.username)
    page.fill("#password", person.password)
    page.click("#sign-in")
    page.click("#allow")


def open_app(page: Page, place: Place, home: str, client_id: str) -> None:
    page.goto(authorize_url(place.issuer, client_id, f"{home}/callback", scope="openid"))


def test_from_an_app_to_a_new_account_and_back(
    place: Place, elsewhere: Deployment, home: str, either_page: Page
) -> None:
    page, person = either_page, elsewhere.make_user()
    app = place.add_app("Ledger", home)["CLIENT_ID"]
    open_app(page, place, home, app)
    page.click("#provider-acme")
    sign_in_there(page, person)
    page.fill("#username", f"newcomer-{person.username}")
    page.click("#sign-up")
    page.click("#allow")
    page.wait_for_url(f"{home}/callback?code=*")

    # Known here: what is asked there is the last form before the app.
    page.context.clear_cookies(name="sid")
    open_app(page, place, home, app)
    expect(page.locator("#provider-acme .badge")).to_have_text("last used")
    page.click("#provider-acme")
    page.fill("#username", person.username)
    page.fill("#password", person.password)
    page.click("#sign-in")
    page.wait_for_url(f"{home}/callback?code=*")


def test_connecting_and_disconnecting(
    place: Place, elsewhere: Deployment, either_page: Page
) -> None:
    page = either_page
    sign_in(page, place.issuer, "ada")
    expect_account_of(page, "Ada")
    page.goto(f"{place.issuer}/account/security")
    page.click("#connect-acme")
    page.fill("#current_password", PASSWORD)
    page.click("#connect")
    sign_in_there(page, elsewhere.make_user())
    expect(page.get_by_text("It is connected.")).to_be_visible()

    page.context.clear_cookies(name="sid", domain="localhost")
    page.goto(f"{place.issuer}/login")
    page.click("#provider-acme")
    expect_account_of(page, "Ada")

    page.goto(f"{place.issuer}/account/security")
    page.click("text=Disconnect")
    page.fill("#current_password", PASSWORD)
    page.click("#disconnect")
    expect(page.get_by_text("It is disconnected")).to_be_visible()
