"""OpenID Connect Core §5.5: the `claims` parameter; and what silent requests ask for."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from oidc_server.domain.authorization_requests import StoredAuthorizationRequest
from oidc_server.oauth2.vocabulary import TWO_FACTOR_ACR
from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import row_counts


def kept(site: Site) -> dict[str, Any]:
    """The parameters of the one request that waits for its person."""
    with site.db() as db:
        [row] = db.session.scalars(select(StoredAuthorizationRequest))
        return row.parameters


def asked(site: Site, claims: Any, **client: Any) -> Any:
    """What is kept of a claims parameter."""
    party = RelyingParty(site, make_client(site, **client))
    text = claims if isinstance(claims, str) else json.dumps(claims)
    response = site.http.get(party.url(claims=text))
    assert response.headers["location"].startswith("/login"), response.headers["location"]
    return kept(site)["claims"]


def test_both_places_and_every_way_of_asking_are_kept(site: Site) -> None:
    claims = {
        "userinfo": {
            "name": {"essential": True},
            "email": None,
            "email_verified": {"essential": False},
        },
        "id_token": {
            "auth_time": {"essential": True},
            "acr": {"values": ["urn:a", "urn:b"]},
            "sub": None,
        },
    }

    assert asked(site, claims) == claims


NAME = {"userinfo": {"name": None}}


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, None),
        ({"userinfo": {}}, None),
        ({"userinfo": {"no such claim": {"essential": True}}}, None),
        ('{"a":' * 60 + "1" + "}" * 60, None),
        ({"elsewhere": {"name": None}, "other": 7}, None),
        ({"userinfo": {"name": {}}}, {"userinfo": {"name": {}}}),
        (
            {"userinfo": {"name": {"purpose": "x", "value": "Ada"}, "is_admin": None}},
            {"userinfo": {"name": {}}},
        ),
        ({"userinfo": {"address": {"value": {"country": "FR"}}}}, {"userinfo": {"address": {}}}),
        ({"id_token": {"name": {"values": [["Ada"], None]}}}, {"id_token": {"name": {}}}),
        ({"userinfo": {"verified_claims": [{"claims": {"name": None}}], "name": None}}, NAME),
    ],
)
def test_what_is_not_understood_is_left_out(site: Site, claims: Any, expected: Any) -> None:
    """§5.5: members that are not understood "MUST be ignored"."""
    assert asked(site, claims) == expected


def test_claims_of_a_scope_that_the_client_may_not_have_are_left_out(site: Site) -> None:
    claims = {"userinfo": {"name": None, "email": None}, "id_token": {"email": None}}

    found = asked(site, claims, scopes=("openid", "profile"))

    assert found == NAME


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "{",
        "[]",
        "null",
        '"name"',
        '{"userinfo":null}',
        '{"userinfo":[]}',
        '{"id_token":"name"}',
        '{"userinfo":{"name":true}}',
        '{"userinfo":{"name":["essential"]}}',
        '{"userinfo":{"name":{"essential":"yes"}}}',
        '{"userinfo":{"name":{"essential":1}}}',
        '{"id_token":{"acr":{"values":"urn:a"}}}',
        '{"id_token":{"acr":{"values":[["urn:a"]]}}}',
        '{"id_token":{"acr":{"value":{"a":1}}}}',
        '{"id_token":{"acr":{"value":null}}}',
        '{"id_token":{"acr":{"value":"\\u0000"}}}',
        '{"id_token":{"acr":{"values":[' + ",".join("1" * 21) + "]}}}",
        '{"userinfo":{"name":null},"userinfo":{"email":null}}',
        '{"userinfo":{"name":null,"name":null}}',
        '{"userinfo":{"name":{"value":NaN}}}',
        '{"userinfo":{"name":{"value":1e999}}}',
        '{"userinfo":{"name":{"value":"\\ud800"}}}',
        '{"userinfo":{"' + "x" * 4096 + '":null}}',
        '{"a":' * 500 + "1" + "}" * 500,
    ],
)
def test_what_is_malformed_is_refused(site: Site, text: str) -> None:
    party = RelyingParty(site, make_client(site))
    before = row_counts(site)

    answer = party.read(site.http.get(party.url(claims=text)))

    assert answer.error == "invalid_request"
    assert "claims" in answer.params["error_description"].lower() or "claim" in str(answer.params)
    assert row_counts(site) == before


def test_a_claim_asked_for_by_itself_is_shown_and_remembered_like_its_scope(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    plain = {"scope": "openid"}
    with_email = {**plain, "claims": '{"userinfo":{"email":null}}'}

    page = browser.log_in(browser.go(party.url(**plain)), person)
    party.read(browser.allow(page))
    more = browser.go(party.url(**with_email))
    silent = party.read(browser.go(party.url(**with_email, prompt="none")))
    answer = party.read(browser.allow(more))

    assert person.email not in page.text
    assert "See your e-mail address" in more.text
    assert person.email in more.text
    assert silent.error == "consent_required"
    assert party.redeem(answer.code).json()["scope"] == "openid"
    assert party.read(browser.go(party.url(**with_email, prompt="none"))).error is None


def test_claims_about_the_sign_in_are_asked_about_by_nobody(site: Site) -> None:
    party, browser, _, _ = signed_in(site)
    claims = '{"id_token":{"auth_time":{"essential":true},"acr":null,"nonce":null}}'

    assert party.read(browser.go(party.url(claims=claims))).error is None


@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
def test_only_the_person_with_the_sub_can_answer(site: Site, subject_type: str) -> None:
    """§5.5.1: "Value"; for a pairwise client it is the `sub` of its sector."""
    party, browser, _, tokens = signed_in(site, subject_type=subject_type)
    sub = party.userinfo(tokens["access_token"]).json()["sub"]
    _, stranger, _, _ = signed_in(site)

    def claims(value: str) -> dict[str, str]:
        return {"claims": json.dumps({"id_token": {"sub": {"value": value}}}), "prompt": "none"}

    assert party.read(browser.go(party.url(**claims(sub)))).error is None
    assert party.read(stranger.go(party.url(**claims(sub)))).error == "login_required"
    assert party.read(browser.go(party.url(**claims("nobody")))).error == "login_required"


def test_a_client_that_was_told_of_nobody_does_not_learn_who_is_there_by_a_guess(
    site: Site,
) -> None:
    """§5.5.1: whichever `sub` it tries, and whatever else it asks for, the answer is the same."""
    _, browser, person, _ = signed_in(site)
    other = make_user(site)
    stranger = RelyingParty(site, make_client(site))

    answers = [
        stranger.read(
            browser.go(
                stranger.url(
                    claims=json.dumps({"id_token": {"sub": {"value": value}, **more}}),
                    prompt="none",
                )
            )
        ).params
        for value in (person.id, other.id)
        for more in ({}, {"acr": {"essential": True, "values": [TWO_FACTOR_ACR]}})
    ]

    assert answers[0]["error"] == "login_required"
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
def test_a_hint_and_a_sub_have_to_agree(site: Site, subject_type: str) -> None:
    party, browser, _, tokens = signed_in(site, subject_type=subject_type)
    sub = party.userinfo(tokens["access_token"]).json()["sub"]
    hint = {"id_token_hint": tokens["id_token"], "prompt": "none"}

    def with_sub(value: str) -> str:
        claims = json.dumps({"id_token": {"sub": {"value": value}}})
        return party.url(**hint, claims=claims)

    assert party.read(browser.go(party.url(**hint))).error is None
    assert party.read(browser.go(with_sub(sub))).error is None
    assert party.read(browser.go(with_sub("other"))).error == "invalid_request"


def test_what_the_client_registered_speaks_for_a_silent_request(site: Site) -> None:
    """Registration §2: `default_max_age`, `default_acr_values`."""
    registered: dict[str, Any] = {"default_max_age": 100, "default_acr_values": ("urn:a", "urn:b")}
    party = RelyingParty(site, make_client(site, **registered))

    site.http.get(party.url())
    silent = kept(site)
    site.clean()
    party = RelyingParty(site, make_client(site, **registered))
    site.http.get(party.url(max_age="7", acr_values="urn:c"))
    outspoken = kept(site)

    assert (silent["max_age"], silent["acr_values"]) == (100, ["urn:a", "urn:b"])
    assert (outspoken["max_age"], outspoken["acr_values"]) == (7, ["urn:c"])


@pytest.mark.parametrize("name", ["acr_values", "login_hint", "ui_locales"])
@pytest.mark.parametrize("word", ["x", "y" * 50_000])
def test_what_may_be_of_any_length_is_kept_in_part(site: Site, name: str, word: str) -> None:
    """Anybody can send a request, and each is stored."""
    party = RelyingParty(site, make_client(site))
    words = " ".join([f"{word}{number}" for number in range(60_000 // (len(word) + 6))])
    request = parse_qs(urlsplit(party.url(**{name: f"urn:a {words}"})).query)

    answer = site.http.post("/authorize", data={key: value[0] for key, value in request.items()})

    assert answer.status_code == 303
    assert "urn:a" in kept(site)[name]
    assert len(json.dumps(kept(site))) < 2000


def test_a_registered_max_age_makes_people_sign_in_again(site: Site) -> None:
    party, browser, _, _ = signed_in(site, default_max_age=100)

    site.clock.advance(100)
    fresh = party.read(browser.go(party.url()))
    site.clock.advance(1)
    page = browser.go(party.url())

    assert fresh.error is None
    assert 'id="sign-in"' in page.text
