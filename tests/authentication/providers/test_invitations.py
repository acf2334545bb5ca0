"""Where accounts are by invitation, one that is held in the browser goes along to a provider."""

from datetime import timedelta

import pytest

from oidc_server.domain import credentials, invitations
from oidc_server.domain.links import Purpose
from tests.authentication.forms import csrf, is_signed_in, new_browser, post, post_to
from tests.authentication.providers.leaving import add_provider, sign_in_with
from tests.services.provider import running_provider
from tests.site import running_site, settings_for


@pytest.fixture(scope="module")
def _inviting(database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inviting")
    settings = settings_for(database_url, folder, issuer="http://localhost:8000", sign_up="invite")
    with running_site(settings) as site:
        yield site


@pytest.fixture
def site(_inviting):
    _inviting.clean()
    return _inviting


def invite(site, email=None):
    """A link to hand over; its path and query."""
    with site.db() as db:
        made = invitations.create(
            db,
            email=email,
            role=None,
            invited_by=None,
            lifetime=timedelta(days=1),
            now=site.clock.now,
        )
    return f"/sign-up?link={site.runtime.links.sign(Purpose.INVITATION, made.id)}"


def arrive(site, provider, link):
    """Open an invitation, and go on with the provider from its page."""
    browser = new_browser(site)
    browser.go(link)
    return browser, sign_in_with(browser, provider, "/sign-up")


def account(site, username):
    with site.db() as db:
        return credentials.find_by_name(db, username)


def test_an_invitation_makes_one_account_by_way_of_a_provider(site, provider):
    add_provider(site, provider)
    link = invite(site)
    browser, page = arrive(site, provider, link)

    made = post(browser, page, username="ada", email="ada@there.example")
    late = new_browser(site)
    late.go(link)

    assert made.status_code == 303
    assert is_signed_in(browser)
    assert 'id="provider-acme"' not in late.client.get("/sign-up").text


def test_of_two_who_hold_one_invitation_the_slower_gets_no_account(site, provider):
    add_provider(site, provider)
    link = invite(site)
    browser, page = arrive(site, provider, link)
    with running_provider(lambda: site.clock().timestamp()) as other:
        add_provider(site, other, "other")
        slower = new_browser(site)
        slower.go(link)
        waiting = sign_in_with(slower, other, "/sign-up", "other")

        assert post(browser, page, username="ada", email="ada@a.example").status_code == 303
        refused = post(slower, waiting, username="bob", email="bob@b.example")

    assert refused.status_code in (400, 403)
    assert not is_signed_in(slower)
    assert account(site, "bob") is None


def test_an_invited_address_is_the_one_of_the_account_whatever_the_provider_says(site, provider):
    add_provider(site, provider, trusts_email=True)
    provider.claims = {"email": "mallory@there.example", "email_verified": True}
    browser, page = arrive(site, provider, invite(site, "ada@home.example"))

    made = post(browser, page, username="ada", email="mallory@there.example")

    assert made.status_code == 303
    profile = browser.client.get("/account/profile").text
    assert "ada@home.example" in profile
    assert "mallory@there.example" not in profile


@pytest.mark.parametrize("link", ["", "made up"])
def test_nobody_is_new_here_without_an_invitation(site, provider, link):
    add_provider(site, provider)
    browser = new_browser(site)
    page = sign_in_with(browser, provider)

    fields = {"csrf_token": csrf(browser), "link": link}
    forced = post_to(browser, page.url.path, **fields, username="ada", email="a@b.example")

    assert 'id="closed"' in page.text
    assert forced.status_code == 403
    assert account(site, "ada") is None
