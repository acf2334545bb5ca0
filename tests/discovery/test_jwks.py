"""RFC 7517: the published keys, with PyJWT as an independent witness of what they verify."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt import PyJWKSet
from pydantic import ValidationError
from sqlalchemy import text

from oidc_server.domain import signing_keys
from oidc_server.domain.signing_keys import RETIRING, TAKES_EFFECT_AFTER
from oidc_server.domain.signing_keys.ring import REMEMBERED_FOR
from oidc_server.security.jose import ALGORITHMS
from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site, settings_for

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MARGIN = timedelta(hours=1)
AFTER_LOGOUT = "https://app.example.com/signed-out"


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
    """New keys in the table; nobody has them in use yet."""
    fresh = signing_keys.generate(ALGORITHMS)
    with site.db() as db:
        vault = site.runtime.vault
        return set(signing_keys.rotate(db, vault, fresh, site.clock.now, at_once=at_once).new)


def revoke(site: Site, kid: str) -> signing_keys.Revocation:
    fresh = signing_keys.generate(ALGORITHMS)
    with site.db() as db:
        done = signing_keys.revoke(db, site.runtime.vault, kid, fresh, site.clock.now)
    assert done is not None
    return done


def test_the_keys_are_public_and_told_apart(site: Site) -> None:
    answer = site.http.get("/jwks.json", headers={"origin": "https://anybody.example"})

    keys = answer.json()["keys"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=900"
    assert {key["alg"] for key in keys} == set(ALGORITHMS)
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert not PRIVATE & set(key)
    assert set(answer.json()) == {"keys"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
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
    site.clock.advance(TAKES_EFFECT_AFTER)
    at_once = party.redeem(party.read(browser.go(party.url())).code).json()
    after_seconds = kids(site)
    site.clock.advance(DAY)
    a_day_later = party.redeem(party.read(browser.go(party.url())).code).json()

    assert after_seconds == old | new
    assert {kid_of(at_once["id_token"]), kid_of(at_once["access_token"])} <= old
    assert {kid_of(a_day_later["id_token"]), kid_of(a_day_later["access_token"])} <= new
    assert kids(site) == old | new
    for tokens in (first, at_once, a_day_later):
        read(site, tokens["id_token"], party.app.client_id)


def test_an_old_key_goes_when_its_last_token_has_expired(start_site: Callable[..., Site]) -> None:
    site = start_site()
    old = kids(site)
    new = rotate(site)

    site.clock.advance(3 * DAY)
    still = kids(site)
    site.clock.advance(TAKES_EFFECT_AFTER)

    assert still == old | new
    assert kids(site) == new


def test_a_leaked_key_is_replaced_and_all_it_signed_dies(start_site: Callable[..., Site]) -> None:
    site = start_site()
    party, browser, _, first = signed_in(site)
    leaked = kid_of(first["access_token"])

    done = revoke(site, leaked)
    assert done.rotation is not None
    site.clock.now = done.takes_effect_at - SECOND
    assert leaked in kids(site)
    assert party.userinfo(first["access_token"]).status_code == 200
    site.clock.now = done.takes_effect_at
    second = party.redeem(party.read(browser.go(party.url())).code).json()

    assert leaked not in kids(site)
    assert [kid_of(second["access_token"])] == done.rotation.new
    assert party.userinfo(first["access_token"]).status_code == 401
    assert party.introspect(first["access_token"]) == {"active": False}
    assert party.userinfo(second["access_token"]).status_code == 200


def test_a_hint_signed_with_a_revoked_key_is_unknown(start_site: Callable[..., Site]) -> None:
    site = start_site()
    _, browser, _, tokens = signed_in(site)
    site.clock.now = revoke(site, kid_of(tokens["id_token"])).takes_effect_at

    answer = browser.go(f"/logout?id_token_hint={tokens['id_token']}")

    assert answer.status_code == 400


@pytest.mark.parametrize(("days", "status"), [(1, 303), (60, 303), (100, 400)])
def test_a_hint_signed_with_an_old_key_is_known_for_months(
    start_site: Callable[..., Site], days: int, status: int
) -> None:
    """RP-Initiated Logout §4: the client may have nothing newer than an expired ID Token."""
    site = start_site()
    party = RelyingParty(site, make_client(site, post_logout_redirect_uris=(AFTER_LOGOUT,)))
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    tokens = party.redeem(party.authorize(browser, person).code).json()
    rotate(site)
    site.clock.advance(timedelta(days=days, hours=1))

    answer = browser.go(
        f"/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={AFTER_LOGOUT}"
    )

    assert answer.status_code == status
    assert (kid_of(tokens["id_token"]) in kids(site)) == (days == 1)


@pytest.mark.parametrize("lifetime", ["access_token_lifetime", "id_token_lifetime"])
def test_no_token_lives_until_its_key_is_gone(tmp_path: Path, lifetime: str) -> None:
    with pytest.raises(ValidationError, match="choose something"):
        settings_for("sqlite://", tmp_path, **{lifetime: RETIRING - MARGIN})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_access_tokens_are_signed_as_the_operator_says(
    start_site: Callable[..., Site], algorithm: str
) -> None:
    site = start_site(access_token_alg=algorithm)
    party, _, _, tokens = signed_in(site)

    read(site, tokens["access_token"], site.issuer)

    assert jwt.get_unverified_header(tokens["access_token"])["alg"] == algorithm
    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_without_the_table_of_keys_no_old_jwks_is_served_for_long(
    start_site: Callable[..., Site],
) -> None:
    site = start_site()
    before = published(site)
    with site.db() as db:
        db.session.execute(text("ALTER TABLE signing_keys RENAME TO elsewhere"))

    within = site.http.get("/jwks.json")
    site.clock.advance(REMEMBERED_FOR)
    afterwards = site.http.get("/jwks.json")

    assert within.json()["keys"] == before
    assert afterwards.status_code >= 500
