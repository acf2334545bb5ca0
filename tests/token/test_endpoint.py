"""RFC 6749 §5: what a token response looks like, whatever the grant."""

import re
from typing import Any

import jwt

from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site


def test_a_success_is_json_that_nobody_keeps(site: Site) -> None:
    party, browser, person, _ = signed_in(site)
    code = party.authorize(browser, person, scope="openid offline_access").code

    response = party.redeem(code)

    body = response.json()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    assert set(body) == {
        "access_token",
        "expires_in",
        "id_token",
        "refresh_token",
        "scope",
        "token_type",
    }
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", body["access_token"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", body["refresh_token"])


def test_the_id_token_says_no_more_than_it_must(site: Site) -> None:
    party, _, person, tokens = signed_in(site)

    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})

    now = int(site.clock.now.timestamp())
    assert set(claims) == {
        "acr",
        "amr",
        "at_hash",
        "aud",
        "auth_time",
        "exp",
        "iat",
        "iss",
        "nonce",
        "sid",
        "sub",
    }
    assert claims["iss"] == site.issuer
    assert claims["aud"] == party.app.client_id
    assert claims["sub"] == person.id
    assert (claims["iat"], claims["auth_time"], claims["exp"]) == (now, now, now + 600)
    assert claims["nonce"] == party.nonce


def test_no_nonce_is_invented(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    tokens = party.redeem(party.read(browser.go(party.url(nonce=None))).code).json()

    assert "nonce" not in jwt.decode(tokens["id_token"], options={"verify_signature": False})


def test_a_long_nonce_comes_back_whole(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    for nonce in ("n" * 64, "n" * 1024, "\u00e9\"'<>\\"):
        tokens = party.redeem(party.read(browser.go(party.url(nonce=nonce))).code).json()
        claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
        assert claims["nonce"] == nonce


def test_secrets_are_unlike_each_other(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    answers = [party.read(browser.go(party.url())).code for _ in range(20)]
    tokens = [party.redeem(code).json() for code in answers]

    for values in (
        answers,
        [body["refresh_token"] for body in tokens],
        [_jti(body) for body in tokens],
    ):
        assert len(set(values)) == 20
        assert min(len(set(value)) for value in values) >= 10
    assert min(len(code) for code in answers) >= 43


def test_two_people_of_one_client_are_told_apart(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    people = [make_user(site) for _ in range(2)]

    told = []
    for person in people:
        browser = Browser(site.browser(), site.issuer)
        tokens = party.redeem(party.authorize(browser, person).code).json()
        told.append(party.userinfo(tokens["access_token"]).json()["sub"])

    assert told == [person.id for person in people]


def _jti(body: dict[str, Any]) -> str:
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    jti: str = claims["jti"]
    return jti
