"""OpenID Connect Core §5.1, §5.4, §5.5: which claims there are, and who is given which."""

import json
from dataclasses import replace
from typing import Any

import jwt
import pytest
from httpx2 import Response

from oidc_server.domain import claims, clients, profiles, roles, users
from oidc_server.domain.identifiers import InvalidFieldError
from tests.browser import Browser
from tests.factories import Person, make_client, make_user
from tests.relying_party import RelyingParty
from tests.site import Site

PROFILE = {
    "name": "Ada King",
    "given_name": "Ada",
    "family_name": "King",
    "middle_name": "Augusta",
    "nickname": "Countess",
    "profile": "https://people.example.net/ada",
    "picture": "https://people.example.net/ada.png",
    "website": "http://ada.example.net/",
    "gender": "female",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
}
PHONE = {"phone_number": "+44 (20) 7946-0000"}
ADDRESS = {"address": {"formatted": "12 St James's Square\nLondon", "country": "UK"}}


def somebody(site: Site, **changes: Any) -> Person:
    """A person of whom every claim is known."""
    person = make_user(site)
    with site.db() as db:
        users.edit(
            db,
            person.id,
            {**PROFILE, **PHONE, **ADDRESS, **changes},
            site.clock.now,
            phone_number_verified=True,
        )
    return person


class Asking(RelyingParty):
    """A client whose requests hold a `claims` parameter."""

    def __init__(self, site: Site, **client: Any) -> None:
        super().__init__(site, make_client(site, **client))
        self.browser = Browser(site.browser(), site.issuer)

    def ask(self, requested: dict[str, Any], scope: str = "openid") -> Response:
        return self.browser.go(self.url(scope=scope, claims=json.dumps(requested)))

    def told(self, page: Response, person: Person) -> tuple[dict[str, Any], dict[str, Any]]:
        """Sign in, allow, and return the claims of userinfo and of the ID Token."""
        if 'id="sign-in"' in page.text:
            page = self.browser.log_in(page, person)
        if 'id="allow"' in page.text:
            page = self.browser.allow(page)
        tokens = self.redeem(self.read(page).code).json()
        id_token = jwt.decode(tokens["id_token"], options={"verify_signature": False})
        return self.userinfo(tokens["access_token"]).json(), id_token


def told_by(site: Site, scope: str, person: Person) -> dict[str, Any]:
    party = RelyingParty(site, make_client(site))
    browser = Browser(site.browser(), site.issuer)
    tokens = party.redeem(party.authorize(browser, person, scope=scope).code).json()
    told: dict[str, Any] = party.userinfo(tokens["access_token"]).json()
    return told


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone"])
def test_a_scope_gives_each_of_its_claims(site: Site, scope: str) -> None:
    person = somebody(site)
    moment = int(site.clock.now.timestamp())
    everything: dict[str, dict[str, Any]] = {
        "profile": {**PROFILE, "preferred_username": person.username, "updated_at": moment},
        "email": {"email": person.email, "email_verified": True},
        "address": ADDRESS,
        "phone": {**PHONE, "phone_number_verified": True},
    }

    told = told_by(site, f"openid {scope}", person)

    assert told == {"sub": person.id, **everything[scope]}
    assert set(told) == {"sub", *claims.SCOPE_CLAIMS[scope]}


def test_roles_are_told_to_whoever_asks_for_them_by_scope_or_by_claim(site: Site) -> None:
    """ADR 0031."""
    person = somebody(site)
    with site.db() as db:
        roles.assign(db, person.id, "moderator", site.clock.now)
    party = Asking(site)

    by_scope = told_by(site, "openid roles", person)
    asked = {"userinfo": {"roles": None}, "id_token": {"roles": None}}
    by_claim, id_token = party.told(party.ask(asked, "openid roles"), person)

    assert by_scope == by_claim == {"sub": person.id, "roles": ["moderator", "user"]}
    assert id_token["roles"] == ["moderator", "user"]
    assert "roles" not in told_by(site, "openid profile", person)


def test_roles_are_those_of_the_moment(site: Site) -> None:
    person = somebody(site)
    party = RelyingParty(site, make_client(site))
    code = party.authorize(Browser(site.browser(), site.issuer), person, scope="openid roles").code
    token = party.redeem(code).json()["access_token"]
    before = party.userinfo(token).json()["roles"]

    with site.db() as db:
        roles.assign(db, person.id, "moderator", site.clock.now)

    assert before == ["user"]
    assert party.userinfo(token).json()["roles"] == ["moderator", "user"]


def test_a_client_that_may_not_have_roles_is_not_told_them(site: Site) -> None:
    person = somebody(site)
    party = Asking(site, scopes=["openid", "profile"])
    asked = {"userinfo": {"roles": None}, "id_token": {"roles": None}}

    told, id_token = party.told(party.ask(asked, "openid roles"), person)

    assert told == {"sub": person.id}
    assert "roles" not in id_token


def test_the_consent_page_shows_the_roles_that_it_is_about(site: Site) -> None:
    person = somebody(site)
    with site.db() as db:
        roles.assign(db, person.id, "moderator", site.clock.now)
    party = Asking(site)

    page = party.browser.log_in(party.ask({}, "openid roles"), person)

    assert "See your roles" in page.text
    assert "moderator, user" in page.text


def test_what_is_not_known_is_left_out_and_never_null(site: Site) -> None:
    empty = {**dict.fromkeys({**PROFILE, **PHONE}, ""), "address": {"locality": " "}}
    person = somebody(site, **empty)

    told = told_by(site, "openid profile address phone", person)

    assert set(told) == {"sub", "preferred_username", "updated_at"}


def test_updated_at_moves_when_something_changes_and_only_then(site: Site) -> None:
    person = somebody(site)
    before = told_by(site, "openid profile", person)["updated_at"]

    site.clock.advance(5)
    with site.db() as db:
        users.edit(db, person.id, {"nickname": "Countess"}, site.clock.now)
    same = told_by(site, "openid profile", person)["updated_at"]
    with site.db() as db:
        users.edit(db, person.id, {"nickname": "Ada"}, site.clock.now)

    assert same == before
    assert told_by(site, "openid profile", person)["updated_at"] == before + 5


def test_another_phone_number_is_not_verified(site: Site) -> None:
    person = somebody(site)

    with site.db() as db:
        users.edit(db, person.id, {"phone_number": "+1 604 555 1234"}, site.clock.now)

    told = told_by(site, "openid phone", person)
    assert (told["phone_number"], told["phone_number_verified"]) == ("+1 604 555 1234", False)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        *[(claim, "x" * 101) for claim in ("given_name", "nickname", "gender")],
        ("middle_name", "a\nb"),
        *[
            (claim, value)
            for claim in ("profile", "picture", "website")
            for value in (
                "javascript:alert(1)",
                "data:text/html,x",
                "ftp://example.net/",
                "//example.net/",
                "https:///x",
                "https://[x/",
                'https://example.net/"onload=',
                "https://example.net/ x",
                "https://example.net/" + "x" * 1000,
            )
        ],
        *[
            ("birthdate", value)
            for value in ("0000", "1815-13-01", "1815-02-30", "10.12.1815", "1815-1-1", "\u0661815")
        ],
        *[("zoneinfo", value) for value in ("Europe/Atlantis", "../etc/passwd", "Europe", "\0")],
        *[("locale", value) for value in ("e", "en GB", "en--GB", "en-", "en-uppercased")],
        *[("phone_number", value) for value in ("12345678", "+1", "+1 call me", "+" + "1" * 16)],
        ("address", {"planet": "Earth"}),
        ("address", {"formatted": "x" * 1001}),
        ("address", {"locality": "a\nb"}),
        ("address", {"country": "\0"}),
    ],
)
def test_what_does_not_fit_a_claim_is_refused(claim: str, value: Any) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        profiles.checked({claim: value})

    assert refusal.value.field == claim


@pytest.mark.parametrize(
    ("claim", "value", "kept"),
    [
        ("birthdate", "0000-02-29", "0000-02-29"),
        ("birthdate", "1815", "1815"),
        ("locale", "de_CH", "de-CH"),
        ("phone_number", "+1 (604) 555-1234;ext=5678", "+1 (604) 555-1234;ext=5678"),
        ("given_name", " Ada ", "Ada"),
        ("address", {"formatted": "a\r\nb", "region": ""}, {"formatted": "a\nb"}),
        ("address", {}, None),
    ],
)
def test_what_fits_a_claim_is_kept(claim: str, value: Any, kept: Any) -> None:
    assert profiles.checked({claim: value}) == {claim: kept}


def test_a_claim_that_was_asked_for_is_given_where_it_was_asked_for(site: Site) -> None:
    party, person = Asking(site), somebody(site)
    page = party.ask(
        {
            "userinfo": {"name": {"essential": True}, "phone_number": None, "x": None},
            "id_token": {"email": {"value": "other@example.com"}, "auth_time": None},
        }
    )

    userinfo, id_token = party.told(page, person)

    assert userinfo == {"sub": person.id, "name": "Ada King", **PHONE}
    assert id_token["email"] == person.email
    assert not {"name", "phone_number", "x"} & set(id_token)


def test_a_claim_that_was_asked_for_and_is_not_known_is_left_out(site: Site) -> None:
    party, person = Asking(site), somebody(site, nickname="", address={})
    wish = {"nickname": {"essential": True}, "address": None, "sub": None, "iss": None}

    userinfo, id_token = party.told(party.ask({"userinfo": wish, "id_token": wish}), person)

    assert userinfo == {"sub": person.id}
    assert not {"nickname", "address"} & set(id_token)
    assert (id_token["sub"], id_token["iss"]) == (person.id, site.issuer)


def test_no_request_can_write_a_claim_of_the_server(site: Site) -> None:
    party, person = Asking(site), somebody(site)
    wish = {name: {"value": "forged"} for name in ("iss", "aud", "exp", "acr", "amr", "at_hash")}

    userinfo, id_token = party.told(party.ask({"userinfo": wish, "id_token": wish}), person)

    assert userinfo == {"sub": person.id}
    assert "forged" not in str(id_token)


def test_a_refreshed_id_token_still_has_what_was_asked_for(site: Site) -> None:
    party, person = Asking(site), somebody(site)
    page = party.browser.log_in(party.ask({"id_token": {"email": None}}), person)
    tokens = party.redeem(party.read(party.browser.allow(page)).code).json()

    fresh = party.refresh(tokens["refresh_token"]).json()

    told = jwt.decode(fresh["id_token"], options={"verify_signature": False})
    assert told["email"] == person.email


def test_a_claim_is_no_longer_given_once_its_scope_was_taken_from_the_client(site: Site) -> None:
    party, person = Asking(site), somebody(site)
    wish = {"userinfo": {"email": None}, "id_token": {"email": None}}
    page = party.browser.log_in(party.ask(wish), person)
    tokens = party.redeem(party.read(party.browser.allow(page)).code).json()
    assert party.userinfo(tokens["access_token"]).json()["email"] == person.email

    with site.db() as db:
        metadata = clients.load(db, party.app.client_id).metadata
        less = replace(metadata, scopes=frozenset({"openid"}))
        clients.change(db, party.app.client_id, metadata=less)
    fresh = party.refresh(tokens["refresh_token"]).json()

    told = jwt.decode(fresh["id_token"], options={"verify_signature": False})
    assert "email" not in told
    assert "email" not in party.userinfo(tokens["access_token"]).json()


def test_the_person_is_asked_about_what_is_asked_for_one_by_one(site: Site) -> None:
    party, person = Asking(site), somebody(site)
    party.authorize(party.browser, person, scope="openid")
    wish = {"id_token": {"phone_number": None}}

    page = party.ask(wish)
    party.told(page, person)
    again = party.ask(wish)

    assert 'id="allow"' in page.text
    assert PHONE["phone_number"] in page.text
    assert party.read(again).error is None


def test_a_claim_of_a_scope_that_the_client_may_not_have_is_not_given(site: Site) -> None:
    party, person = Asking(site, scopes=("openid", "profile")), somebody(site)
    wish = {"email": {"essential": True}, "nickname": None}

    userinfo, id_token = party.told(party.ask({"userinfo": wish, "id_token": wish}), person)

    assert userinfo == {"sub": person.id, "nickname": "Countess"}
    assert "email" not in id_token


def test_the_consent_page_shows_what_would_be_shared(site: Site) -> None:
    party, person = RelyingParty(site, make_client(site)), somebody(site)
    browser = Browser(site.browser(), site.issuer)

    page = browser.log_in(browser.go(party.url(scope="openid address phone")), person)

    assert PHONE["phone_number"] in page.text
    assert "12 St James&#39;s Square, London" in page.text
