"""RFC 8707 §2: resources that are asked for, told to people, and remembered with their consent."""

from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from httpx2 import Response

from oidc_server.domain import clients
from tests.factories import REDIRECT_URI, make_client, make_resource
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

LEDGER, ARCHIVE = "https://ledger.example.net/", "https://archive.example.net/"
VAULT = "https://vault.example.net/"
ISSUER = "the issuer"
MANY = ("openid", "profile", "email", "offline_access", "ledger:read")


def asking(party: RelyingParty, *resources: str, **changes: str | None) -> str:
    return f"{party.url(**changes)}&{urlencode([('resource', name) for name in resources])}"


def decoded(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def asks(page: Response) -> bool:
    return 'id="allow"' in page.text


def test_a_token_for_a_resource_is_asked_about_once(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    make_resource(site, LEDGER)

    page = browser.go(asking(party, LEDGER))
    answer = party.read(browser.allow(page))
    again = party.read(browser.go(asking(party, LEDGER)))

    assert f"Act for you at {LEDGER}" in page.text
    token = party.redeem(answer.code).json()["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == LEDGER
    assert party.redeem(again.code).status_code == 200


def test_a_yes_for_one_resource_is_none_for_another(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    make_resource(site, LEDGER)
    make_resource(site, ARCHIVE)
    party.read(browser.allow(browser.go(asking(party, LEDGER))))

    more = browser.go(asking(party, LEDGER, ARCHIVE))
    silent = party.read(browser.go(asking(party, ARCHIVE, prompt="none")))
    party.read(browser.allow(more))

    assert asks(more)
    assert more.text.count("already allowed") == 4
    assert silent.error == "consent_required"
    for resources in ((LEDGER,), (ARCHIVE,), (ARCHIVE, LEDGER), ()):
        assert party.read(browser.go(asking(party, *resources))).error is None


def test_the_scopes_of_a_resource_are_told_with_its_name(site: Site) -> None:
    scopes = ("openid", "ledger:read")
    party, browser, _, _ = signed_in(site, scopes=scopes)
    make_resource(site, LEDGER, "ledger:read")

    page = browser.go(asking(party, LEDGER, scope="openid ledger:read"))
    answer = party.read(browser.allow(page))

    assert LEDGER in page.text
    assert "ledger:read" in page.text
    assert "Act for you at" not in page.text
    assert party.redeem(answer.code).json()["scope"] == "ledger:read openid"


@pytest.mark.parametrize("way", ["/authorize", "/par"])
def test_without_a_scope_only_those_of_the_resources_are_asked_for(site: Site, way: str) -> None:
    party, browser, _, _ = signed_in(site, scopes=MANY)
    make_resource(site, LEDGER, "ledger:read ledger:write")

    address = asking(party, LEDGER, scope=None)
    if way == "/par":
        pushed = party.post("/par", **party.parameters(scope=None, resource=LEDGER)).json()
        request = {"client_id": party.app.client_id, "request_uri": pushed["request_uri"]}
        address = f"/authorize?{urlencode(request)}"
    tokens = party.redeem(party.read(browser.allow(browser.go(address))).code).json()
    fresh = party.refresh(tokens["refresh_token"]).json()

    assert tokens["scope"] == fresh["scope"] == "ledger:read"
    assert "id_token" not in tokens
    assert decoded(fresh["access_token"])["aud"] == LEDGER


@pytest.mark.parametrize("scope", ["openid", "openid profile ledger:read"])
def test_with_a_scope_and_a_resource_what_is_asked_for_is_given(site: Site, scope: str) -> None:
    party, browser, _, _ = signed_in(site, scopes=MANY)
    make_resource(site, LEDGER, "ledger:read")

    page = browser.go(asking(party, LEDGER, scope=scope))
    tokens = party.redeem(party.read(browser.allow(page)).code).json()

    assert set(tokens["scope"].split()) == set(scope.split())
    assert "id_token" in tokens


@pytest.mark.parametrize("resources", [(), (ISSUER,), (LEDGER, ISSUER), (ARCHIVE,)])
def test_without_a_scope_everything_is_asked_for_where_no_resource_narrows_it(
    site: Site, resources: tuple[str, ...]
) -> None:
    """None is named, we are one, or the client may have nothing there that has a name."""
    party, browser, _, _ = signed_in(site, scopes=MANY)
    make_resource(site, LEDGER, "ledger:read")
    make_resource(site, ARCHIVE, "archive:read")
    named = (site.issuer if name == ISSUER else name for name in resources)

    page = browser.go(asking(party, *named, scope=None))

    answer = party.read(browser.allow(page))
    scope = party.redeem(answer.code).json()["scope"]
    assert {"openid", "profile", "email"} <= set(scope.split())


def test_every_resource_is_named_whatever_its_scopes_are_called(site: Site) -> None:
    """Else one that has a scope of the same name, or one of ours, would be let in unseen."""
    party, browser, _, _ = signed_in(site, scopes=("openid", "read", "credits:use"))
    make_resource(site, LEDGER, "read")
    make_resource(site, ARCHIVE, "read")
    make_resource(site, VAULT, "credits:use")

    page = browser.go(asking(party, LEDGER, ARCHIVE, VAULT, scope="credits:use read"))

    assert f"{ARCHIVE}, {LEDGER}" in page.text
    assert f"Act for you at {VAULT}" in page.text


def test_a_scope_is_called_allowed_only_where_it_is(site: Site) -> None:
    party, browser, _, _ = signed_in(site, scopes=("openid", "read"))
    make_resource(site, LEDGER, "read")
    make_resource(site, ARCHIVE, "read")
    party.read(browser.allow(browser.go(asking(party, LEDGER, scope="read"))))

    other = browser.go(asking(party, ARCHIVE, scope="read"))
    same = browser.go(asking(party, LEDGER, scope="read", prompt="consent"))

    assert "already allowed" not in other.text
    assert "already allowed" in same.text


def test_our_own_audience_is_asked_about_by_nobody(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    assert party.read(browser.go(asking(party, site.issuer))).error is None


@pytest.mark.parametrize(
    "resources",
    [
        ("https://unknown.example.net/",),
        (LEDGER, "https://unknown.example.net/"),
        ("https://ledger.example.net",),
        (LEDGER + "#fragment",),
        ("HTTPS://LEDGER.example.net/",),
        tuple(f"{LEDGER}{number}" for number in range(100)),
    ],
)
def test_what_is_no_resource_here_is_an_invalid_target(
    site: Site, resources: tuple[str, ...]
) -> None:
    party = RelyingParty(site, make_client(site))
    make_resource(site, LEDGER)

    assert party.read(site.http.get(asking(party, *resources))).error == "invalid_target"


def test_one_resource_named_often_is_one(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    make_resource(site, LEDGER)

    answer = party.read(browser.allow(browser.go(asking(party, *([LEDGER] * 50)))))

    assert party.redeem(answer.code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, False),
        ({"client_name": "Your bank"}, True),
        ({"redirect_uris": (REDIRECT_URI, "https://other.example.net/callback")}, True),
        ({"redirect_uris": (REDIRECT_URI, REDIRECT_URI + "/2")}, False),
        ({"tos_uri": "https://app.example.net/terms"}, False),
    ],
)
def test_a_yes_is_for_the_client_that_was_shown(
    site: Site, changes: dict[str, object], asked: bool
) -> None:
    party, browser, _, _ = signed_in(site)
    with site.db() as db:
        metadata = clients.load(db, party.app.client_id).metadata
        document = {**metadata.to_document(), **changes}
        clients.change(db, party.app.client_id, metadata=type(metadata).from_document(document))

    page = browser.go(party.url())

    assert asks(page) == asked
    if asked:
        assert "already allowed" not in page.text
        party.read(browser.allow(page))
        assert not asks(browser.go(party.url()))


def test_what_was_allowed_to_another_look_is_forgotten(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    with site.db() as db:
        metadata = clients.load(db, party.app.client_id).metadata
        document = {**metadata.to_document(), "client_name": "Your bank"}
        clients.change(db, party.app.client_id, metadata=type(metadata).from_document(document))
    party.read(browser.allow(browser.go(party.url(scope="openid"))))

    assert asks(browser.go(party.url(scope="openid email")))
    assert not asks(browser.go(party.url(scope="openid")))


def scopes_and_audience(answer: Response) -> tuple[str, str]:
    told = answer.json()
    claims = jwt.decode(told["access_token"], options={"verify_signature": False})
    assert claims["scope"] == told["scope"]
    return told["scope"], claims["aud"]


def test_a_token_for_a_resource_has_no_scope_of_another(site: Site) -> None:
    scopes = ("openid", "ledger:read", "archive:read", "account:read", "own:thing")
    party, browser, _, _ = signed_in(site, scopes=scopes)
    make_resource(site, LEDGER, "ledger:read")
    make_resource(site, ARCHIVE, "archive:read")
    page = browser.go(asking(party, LEDGER, ARCHIVE, scope=" ".join(scopes)))
    code = party.read(browser.allow(page)).code

    first = party.redeem(code, resource=LEDGER)
    refreshed = party.refresh(first.json()["refresh_token"], resource=ARCHIVE)

    assert scopes_and_audience(first) == ("ledger:read openid own:thing", LEDGER)
    assert scopes_and_audience(refreshed) == ("archive:read openid own:thing", ARCHIVE)


def test_a_token_of_a_service_for_a_resource_has_no_scope_of_another(site: Site) -> None:
    scopes = ("ledger:read", "archive:read", "users:write")
    service = RelyingParty(site, make_client(site, "service", scopes=scopes))
    make_resource(site, LEDGER, "ledger:read")
    make_resource(site, ARCHIVE, "archive:read")

    for_one = service.token(grant_type="client_credentials", resource=LEDGER)
    for_us = service.token(grant_type="client_credentials")

    assert scopes_and_audience(for_one) == ("ledger:read", LEDGER)
    assert scopes_and_audience(for_us)[0] == "archive:read ledger:read users:write"
