"""Every page on the way to another provider and back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser_flows.every_page.looking import Look
from tests.browser_flows.people import expect_account_of, sign_in
from tests.examples.running import PASSWORD, Place
from tests.services.provider import Provider, running_provider


@pytest.fixture
def provider(place: Place) -> Iterator[Provider]:
    """One that everybody is signed in to."""
    with running_provider() as running:
        running.claims = {"email": "ada@there.example", "preferred_username": "ada.there"}
        place.command(
            *("providers", "add", "acme", "--label", "Acme", "--issuer", running.issuer),
            *("--client-id", running.client_id, "--secret-stdin"),
            send=running.client_secret,
        )
        yield running
        place.command("providers", "remove", "acme", "--yes")


def test_the_pages_of_a_sign_in_with_a_provider_have_no_faults(
    place: Place, page: Page, look: Look, provider: Provider
) -> None:
    page.route(f"{provider.issuer}/authorize**", lambda route: route.fulfill(status=204))
    page.goto(f"{place.issuer}/login")
    look("authentication/login.html", "Sign in", "provider")
    page.click("#provider-acme")
    look("onward.html", "Continue to Acme")
    page.unroute(f"{provider.issuer}/authorize**")
    page.click("#onward")
    look("authentication/providers/newcomer.html", "Create your account")
    page.fill("#username", "ada")
    page.click("#sign-up")
    look("authentication/providers/newcomer.html", "Create your account", "taken")

    page.click("#connect")
    page.fill("#username", "ada")
    page.fill("#password", PASSWORD)
    page.click("#sign-in")
    look("authentication/providers/connecting.html", "Connect Acme")
    page.click("#connect")
    expect(page.get_by_text("It is connected.")).to_be_visible()
    look("account/security/page.html", "Security", "provider")
    page.click("#connect-acme")
    look("account/security/connect_provider.html", "Connect Acme")
    page.click("text=Cancel")
    page.click("text=Disconnect")
    look("account/security/identity.html", "Disconnect Acme")
    page.fill("#current_password", PASSWORD)
    page.click("#disconnect")
    expect(page.get_by_text("It is disconnected")).to_be_visible()

    page.context.clear_cookies()
    provider.down = {"/token"}
    page.goto(f"{place.issuer}/login")
    page.click("#provider-acme")
    look("authentication/login.html", "Sign in", "provider-away")
    sign_in(page, place.issuer, "ada")
    expect_account_of(page, "Ada")


def test_the_pages_of_a_provider_as_the_only_way_in_have_no_faults(
    place: Place, page: Page, look: Look, provider: Provider
) -> None:
    provider.sub = "somebody new"
    page.goto(f"{place.issuer}/sign-up")
    page.click("#provider-acme")
    page.fill("#username", "gina")
    page.click("#sign-up")
    page.goto(f"{place.issuer}/account/security")
    page.click("text=Disconnect")
    look("account/security/identity.html", "Disconnect Acme", "last")
    page.context.clear_cookies(name="sid")
    place.command("providers", "edit", "acme", "--no-sign-up")
    provider.sub = "somebody else"
    page.goto(f"{place.issuer}/login")
    look("authentication/login.html", "Sign in", "last-used")
    page.click("#provider-acme")
    look("authentication/providers/newcomer.html", "Connect your account", "closed")
