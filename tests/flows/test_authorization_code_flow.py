"""The main job: a third-party application signs a person in."""

import jwt

from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site


def test_a_person_signs_in_consents_and_the_client_gets_tokens(site: Site) -> None:
    party = RelyingParty(site, make_client(site))
    browser = Browser(site.browser(), site.issuer)
    person = make_user(site)

    login = browser.go(party.url())
    consent = browser.log_in(login, person)
    answer = party.read(browser.allow(consent))
    response = party.redeem(answer.code)

    assert answer.params["state"] == party.state
    assert answer.params["iss"] == site.issuer
    tokens = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert tokens["token_type"] == "Bearer"
    assert set(tokens["scope"].split()) == {"openid", "profile", "email"}
    userinfo = party.userinfo(tokens["access_token"]).json()
    assert userinfo["sub"] == person.id
    assert userinfo["email"] == person.email
    assert userinfo["email_verified"] is True


def test_the_id_token_verifies_with_the_published_keys(site: Site) -> None:
    party, _, person, tokens = signed_in(site)
    keys = jwt.PyJWKSet.from_dict(site.http.get("/jwks.json").json())

    header = jwt.get_unverified_header(tokens["id_token"])
    claims = jwt.decode(
        tokens["id_token"],
        keys[header["kid"]].key,
        algorithms=["RS256"],
        audience=party.app.client_id,
        issuer=site.issuer,
        options={"verify_exp": False, "verify_iat": False},
    )

    assert claims["sub"] == person.id
    assert claims["nonce"] == party.nonce
    assert claims["auth_time"] == int(site.clock.now.timestamp())
    assert claims["amr"] == ["pwd"]


def test_a_second_sign_in_is_silent(site: Site) -> None:
    party, browser, _, _ = signed_in(site)

    answer = party.read(browser.go(party.url()))

    assert party.redeem(answer.code).status_code == 200
