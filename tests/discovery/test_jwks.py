"""RFC 7517: the published keys, with PyJWT as an independent witness of what they verify."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from jwt import PyJWKSet

from oidc_server.domain import signing_keys
from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
DAY = timedelta(days=1)


def published(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.http.get("/jwks.json").json()["keys"]
    return found


def kids(site: Site) -> set[str]:
    return {key["kid"] for key in published(site)}


def kid_of(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


def read(site: Site, token: str, audience: str) -> dict[str, Any]:
    """What an application learns that knows nothing but our address. The clock is ours."""
    keys = PyJWKSet.from_dict({"keys": published(site)})
    header = jwt.get_unverified_header(token)
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[header["kid"]].key,
        algorithms=[keys[header["kid"]].algorithm_name],
        audience=audience,
        issuer=site.issuer,
        options={
            "verify_exp": False,
            "verify_iat": False,
            "require": ["iss", "sub", "aud", "exp", "iat"],
        },
    )
    return claims


def rotate(site: Site, *, at_once: bool = False) -> set[str]:
    with site.db() as db:
        vault = site.runtime.vault
        return set(signing_keys.rotate(db, vault, site.clock.now, at_once=at_once))


def test_the_keys_are_public_and_told_apart(site: Site) -> None:
    answer = site.http.get("/jwks.json", headers={"origin": "https://anybody.example"})

    keys = answer.json()["keys"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=900"
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert not PRIVATE & set(key)
    assert set(answer.json()) == {"keys"}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_tokens_verify_with_them(site: Site, algorithm: str) -> None:
    party, _, person, tokens = signed_in(site, id_token_signed_response_alg=algorithm)

    identity = read(site, tokens["id_token"], party.app.client_id)
    access = read(site, tokens["access_token"], site.issuer)

    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == algorithm
    assert jwt.get_unverified_header(tokens["access_token"]) == {
        "alg": "ES256",
        "typ": "at+jwt",
        "kid": kid_of(tokens["access_token"]),
    }
    assert identity["sub"] == access["sub"] == person.id
    assert identity["exp"] - identity["iat"] == 600
    assert access["client_id"] == party.app.client_id
    assert access["scope"] == "email openid profile"


def test_the_at_hash_is_that_of_the_access_token(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    algorithm = jwt.get_algorithm_by_name("RS256")

    digest = algorithm.compute_hash_digest(tokens["access_token"].encode())

    claims = read(site, tokens["id_token"], party.app.client_id)
    assert claims["at_hash"] == jwt.utils.base64url_encode(digest[:16]).decode()


def test_a_new_key_is_published_now_and_signs_in_a_day(start_site: Callable[..., Site]) -> None:
    site = start_site(session_idle_lifetime="30d")
    party, browser, _, first = signed_in(site)
    old = kids(site)

    new = rotate(site)
    site.clock.advance(5)
    at_once = party.redeem(party.read(browser.go(party.url())).code).json()
    after_five_seconds = kids(site)
    site.clock.advance(DAY)
    a_day_later = party.redeem(party.read(browser.go(party.url())).code).json()

    assert after_five_seconds == old | new
    assert {kid_of(at_once["id_token"]), kid_of(at_once["access_token"])} <= old
    assert {kid_of(a_day_later["id_token"]), kid_of(a_day_later["access_token"])} <= new
    assert kids(site) == old | new
    for tokens in (first, at_once, a_day_later):
        read(site, tokens["id_token"], party.app.client_id)


def test_an_old_key_goes_when_its_last_token_has_expired(start_site: Callable[..., Site]) -> None:
    site = start_site()
    old = kids(site)
    new = rotate(site)

    site.clock.advance(2 * DAY)
    still = kids(site)
    site.clock.advance(DAY + timedelta(seconds=5))

    assert still == old | new
    assert kids(site) == new


def test_a_leaked_key_is_replaced_at_once(start_site: Callable[..., Site]) -> None:
    site = start_site()
    party, browser, _, first = signed_in(site)

    new = rotate(site, at_once=True)
    with site.db() as db:
        signing_keys.revoke(db, kid_of(first["access_token"]), site.clock.now)
    site.clock.advance(5)
    second = party.redeem(party.read(browser.go(party.url())).code).json()

    assert kid_of(second["access_token"]) in new
    assert kid_of(first["access_token"]) not in kids(site)
    assert party.userinfo(first["access_token"]).status_code == 401
    assert party.userinfo(second["access_token"]).status_code == 200


def test_a_hint_signed_with_the_old_key_is_still_known(start_site: Callable[..., Site]) -> None:
    site = start_site(session_idle_lifetime="30d")
    party = RelyingParty(site, make_client(site))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    tokens = party.redeem(party.authorize(browser, person).code).json()
    rotate(site)
    site.clock.advance(DAY + timedelta(hours=1))

    answer = browser.go(f"/logout?id_token_hint={tokens['id_token']}")

    assert "You are signed out" in answer.text
