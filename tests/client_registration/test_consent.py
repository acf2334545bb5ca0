"""What people are told of a client that registered itself, and of one that an operator did."""

from collections.abc import Callable

import pytest

from tests.browser import Browser
from tests.client_registration.registrations import app_of, registered
from tests.device.devices import GRANTS, Device, question
from tests.factories import App, make_client, make_user
from tests.relying_party import RelyingParty
from tests.site import Site

UNCHECKED = "This app registered itself, and nobody here has checked its name."
CHECKED_HOST = '<p class="host checked">'


@pytest.fixture
def open_site(start_site: Callable[..., Site]) -> Site:
    """A server at which everybody may register applications."""
    return start_site(registration="open")


def consent_page(site: Site, app: App) -> str:
    browser = Browser(site.browser(), site.issuer)
    page = browser.log_in(browser.go(RelyingParty(site, app).url()), make_user(site))
    assert 'id="allow"' in page.text
    return page.text


def test_nobody_seems_to_have_checked_a_client_that_registered_itself(open_site: Site) -> None:
    shown = consent_page(open_site, app_of(registered(open_site, client_name="Google Drive")))

    assert f"<p>{UNCHECKED}\nContinue only if you know <b>app.example.net</b>.</p>" in shown
    assert '<p class="host">' in shown
    assert CHECKED_HOST not in shown


@pytest.mark.parametrize(
    "redirect_uri", ["http://localhost:3118/callback", "com.example.app:/callback"]
)
def test_a_program_on_the_device_is_to_have_been_started_by_whoever_is_asked(
    open_site: Site, redirect_uri: str
) -> None:
    app = registered(open_site, redirect_uris=[redirect_uri], application_type="native")

    shown = consent_page(open_site, app_of(app))

    assert f"<p>{UNCHECKED}\nContinue only if you have just started it on this device." in shown


def test_a_client_of_the_operator_is_shown_as_checked(open_site: Site) -> None:
    shown = consent_page(open_site, make_client(open_site))

    assert CHECKED_HOST in shown
    assert UNCHECKED not in shown


def test_whoever_connects_a_device_is_told_of_its_app_too(open_site: Site) -> None:
    browser = Browser(open_site.browser(), open_site.issuer)
    own = Device(open_site, make_client(open_site, "native", grant_types=GRANTS))
    strange = Device(
        open_site,
        app_of(
            registered(
                open_site,
                application_type="native",
                redirect_uris=["com.example.app:/callback"],
                grant_types=["authorization_code", *GRANTS],
            )
        ),
    )
    person = make_user(open_site)

    shown = [question(browser, person, device.ask()["user_code"]) for device in (own, strange)]

    assert [UNCHECKED in page.text for page in shown] == [False, True]
