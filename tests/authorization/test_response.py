"""How answers travel to apps that are no web site, and what happens when a client changes."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from oidc_server.domain import clients
from tests.browser import Browser, Page
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

SCHEME = "com.example.app:/callback"


def links_of(text: str) -> list[str]:
    return [part.partition('"')[0].replace("&amp;", "&") for part in text.split('href="')[1:]]


@pytest.mark.parametrize("prompt", [None, "none"])
def test_an_app_on_the_device_gets_a_link_not_a_redirect(site: Site, prompt: str | None) -> None:
    app = make_client(site, "native", redirect_uris=(SCHEME,))
    party = RelyingParty(site, app)
    browser, person = Browser(site.browser(), site.issuer), make_user(site)

    page = browser.go(party.url(prompt=prompt))
    if prompt is None:
        page = browser.allow(browser.log_in(page, person))

    link = next(link for link in links_of(page.text) if link.startswith(SCHEME))
    params = parse_qs(urlsplit(link).query)
    assert page.status_code == 200
    assert "location" not in page.headers
    assert params["state"] == [party.state]
    assert params["iss"] == [site.issuer]
    if prompt is None:
        assert party.redeem(params["code"][0]).status_code == 200
    else:
        assert params["error"] == ["login_required"]


def test_a_state_cannot_break_out_of_the_link(site: Site) -> None:
    party = RelyingParty(site, make_client(site, "native", redirect_uris=(SCHEME,)))

    page = site.http.get(party.url(prompt="none", state="\"><script>alert(1)</script>'"))

    assert "<script>alert" not in page.text


@pytest.mark.parametrize("way", ["removed", "disabled"])
def test_a_client_that_changed_meanwhile_is_not_answered(site: Site, way: str) -> None:
    party, browser, _, _ = signed_in(site)
    page = browser.go(party.url(prompt="consent"))
    allowed = browser.client.post(
        Page(page).action(),
        data={**Page(page).hidden(), "decision": "allow"},
        headers={"origin": site.issuer},
    )

    with site.db() as db:
        metadata = clients.load(db, party.app.client_id).metadata
        moved = replace(metadata, redirect_uris=("https://new.example.net/callback",))
        if way == "removed":
            clients.change(db, party.app.client_id, metadata=moved)
        else:
            clients.change(db, party.app.client_id, disabled_at=site.clock.now)
    answer = browser.client.get(allowed.headers["location"])

    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_the_login_and_consent_pages_may_lead_to_the_client_only(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)

    login = browser.go(party.url())
    consent = browser.log_in(login, person)

    for page in (login, consent):
        policy = page.headers["content-security-policy"]
        assert policy.endswith("form-action 'self' https://app.example.net")
