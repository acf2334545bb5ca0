"""Scopes of resource servers, for clients that nobody knows: those of MCP come without a token."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.browser import Browser
from tests.client_registration.registrations import (
    app_of,
    make_initial_access_token,
    manage,
    register,
    registered,
)
from tests.factories import make_resource, make_user
from tests.relying_party import RelyingParty
from tests.site import Site

NOTES = "https://notes.example.net/mcp"
MCP_CLIENT: dict[str, Any] = {
    "redirect_uris": ["http://localhost:3118/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}


@pytest.fixture
def notes_site(start_site: Callable[..., Site]) -> Site:
    """A server that lets every client ask for reading the notes of somebody else's server."""
    site = start_site(registration="open", registration_scopes=("notes:read",))
    make_resource(site, NOTES, "notes:read notes:write")
    return site


def test_a_client_that_registered_itself_gets_a_token_for_a_resource_server(
    notes_site: Site,
) -> None:
    client = registered(notes_site, **MCP_CLIENT, scope="notes:read")
    party = RelyingParty(notes_site, app_of(client))
    browser, person = Browser(notes_site.browser(), notes_site.issuer), make_user(notes_site)
    url = f"{party.url(scope='notes:read')}&{urlencode({'resource': NOTES})}"

    page = browser.log_in(browser.go(url), person)
    answer = party.read(browser.allow(page))
    tokens = party.redeem(answer.code, resource=NOTES).json()

    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert NOTES in page.text
    assert (claims["aud"], claims["scope"]) == (NOTES, "notes:read")
    assert "id_token" not in tokens


def test_only_the_opened_scopes_are_open(notes_site: Site) -> None:
    client = registered(notes_site, **MCP_CLIENT, scope="notes:read notes:write users:write")
    closed = register(notes_site, **MCP_CLIENT, scope="notes:write")

    assert client["scope"] == "notes:read"
    assert closed.status_code == 400


def test_a_client_that_names_no_scope_may_have_every_open_one(notes_site: Site) -> None:
    client = registered(notes_site, **MCP_CLIENT)
    replaced = manage(notes_site, "PUT", client, **MCP_CLIENT).json()

    assert {"openid", "offline_access", "notes:read"} <= set(client["scope"].split())
    assert replaced["scope"] == client["scope"]


def test_what_people_are_to_be_asked_for_is_not_for_a_client_that_asks_nobody(
    notes_site: Site,
) -> None:
    """The operator's token lets it act for itself, and names no scope of a resource server."""
    _, token = make_initial_access_token(notes_site, uses=3)
    both = ["authorization_code", "client_credentials"]

    service = register(
        notes_site, token=token, grant_types=["client_credentials"], scope="notes:read"
    )
    mixed = registered(notes_site, token=token, grant_types=both)
    asking = registered(notes_site, token=token)
    grown = manage(notes_site, "PUT", asking, grant_types=both).json()

    assert service.status_code == 400
    assert "notes:read" in asking["scope"].split()
    assert "notes:read" not in mixed["scope"].split() + grown["scope"].split()
