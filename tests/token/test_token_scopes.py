"""Roles in tokens: who is told which, and what a token lacks whose person lacks the role."""

from typing import Any

import jwt
import pytest

from oidc_server.domain import resources, roles
from tests.browser import Browser
from tests.factories import Person, make_client, make_user
from tests.relying_party import RelyingParty
from tests.site import Site

SHOP = "https://shop.example.net/"
PLAIN = "https://plain.example.net/"
SCOPES = "openid roles:write credits:read shop:sell shop:look"


@pytest.fixture
def party(site: Site) -> RelyingParty:
    with site.db() as db:
        for identifier, wants_roles in ((SHOP, True), (PLAIN, False)):
            resources.create(
                db,
                identifier=identifier,
                name="",
                scopes=frozenset({"shop:sell", "shop:look"}),
                wants_roles=wants_roles,
                now=site.clock.now,
            )
        roles.create(
            db,
            name="seller",
            description="",
            scopes=frozenset({"shop:sell"}),
            known=frozenset({"shop:sell"}),
            now=site.clock.now,
        )
    return RelyingParty(site, make_client(site, scopes=SCOPES.split()))


def person_with(site: Site, *names: str) -> Person:
    person = make_user(site)
    with site.db() as db:
        for name in names:
            roles.assign(db, person.id, name, site.clock.now)
    return person


def claims(site: Site, party: RelyingParty, person: Person, resource: str = "") -> dict[str, Any]:
    asked = {"resource": resource} if resource else {}
    browser = Browser(site.browser(), site.issuer)
    code = party.authorize(browser, person, scope=SCOPES, **asked).code
    body = party.redeem(code).json()
    told: dict[str, Any] = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert told["scope"] == body["scope"]
    return told


@pytest.mark.parametrize("name", ["seller", roles.MODERATOR])
def test_a_token_for_us_names_roles_and_lacks_what_they_do_not_give(
    site: Site, party: RelyingParty, name: str
) -> None:
    told = claims(site, party, person_with(site, name))

    assert told["roles"] == sorted([name, "user"])
    assert told["scope"].split() == ["credits:read", "openid", "shop:look", "shop:sell"]


def test_an_administrator_gets_every_scope_that_was_asked_for(
    site: Site, party: RelyingParty
) -> None:
    told = claims(site, party, person_with(site, roles.ADMIN))

    assert told["scope"].split() == sorted(SCOPES.split())


def test_a_resource_that_wants_roles_is_told_them(site: Site, party: RelyingParty) -> None:
    seller = claims(site, party, person_with(site, "seller"), SHOP)
    visitor = claims(site, party, person_with(site), SHOP)

    assert (seller["roles"], visitor["roles"]) == (["seller", "user"], ["user"])
    assert "shop:sell" in seller["scope"].split()
    assert "shop:sell" not in visitor["scope"].split()
    assert "shop:look" in visitor["scope"].split()


def test_a_resource_that_does_not_want_roles_is_told_none_and_loses_no_scope(
    site: Site, party: RelyingParty
) -> None:
    told = claims(site, party, person_with(site), PLAIN)

    assert "roles" not in told
    assert "shop:sell" in told["scope"].split()


def test_a_role_that_is_given_shows_when_the_token_is_refreshed(
    site: Site, party: RelyingParty
) -> None:
    person = make_user(site)
    browser = Browser(site.browser(), site.issuer)
    first = party.redeem(party.authorize(browser, person, scope=SCOPES).code).json()
    with site.db() as db:
        roles.assign(db, person.id, roles.ADMIN, site.clock.now)

    refreshed = party.refresh(first["refresh_token"]).json()

    assert "roles:write" not in first["scope"].split()
    assert "roles:write" in refreshed["scope"].split()
