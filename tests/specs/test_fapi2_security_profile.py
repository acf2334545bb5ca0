"""FAPI 2.0 Security Profile, as its certification drives it: PAR, private_key_jwt, DPoP, PKCE.

What needs TLS is left to the proxy in front of the server.
"""

import secrets
from typing import Any

import jwt
import pytest

from tests.browser import Browser
from tests.client_assertions import KEYS
from tests.dpop import Key, Proofs, proofs_for
from tests.factories import REDIRECT_URI, make_user
from tests.fapi_party import FapiParty, refused
from tests.site import Site
from tests.wire import ask

DUMMY = f"{REDIRECT_URI}?dummy1=lorem&dummy2=ipsum"


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
def test_happy_flow(site: Site, alg: str) -> None:
    party = FapiParty(site)
    party.key = KEYS[alg]

    answer = party.answer()
    tokens = party.redeem(answer.code).json()

    assert answer.params["iss"] == site.issuer
    assert answer.params["state"] == party.state
    assert "#" not in answer.location
    assert tokens["token_type"] == "DPoP"
    head = jwt.get_unverified_header(tokens["id_token"])
    assert head["alg"] in ("PS256", "ES256", "EdDSA")
    assert head["kid"]
    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_happy_flow_of_the_second_client(site: Site) -> None:
    party = FapiParty(site, redirect_uris=(DUMMY,))
    party.proving = {"/token"}
    party.state = secrets.token_urlsafe(96)

    answer = party.answer(dpop_jkt=party.jkt)

    assert answer.location.startswith(f"{DUMMY}&")
    assert answer.params["state"] == party.state
    assert len(party.state) == 128
    tokens = party.redeem(answer.code).json()
    assert party.userinfo(tokens["access_token"]).status_code == 200


def test_a_resource_takes_no_token_in_the_query_and_no_other_key(site: Site) -> None:
    first, second = FapiParty(site), FapiParty(site)
    first.sign_in()
    token = second.sign_in()["access_token"]
    proof = second.headers("GET", "/userinfo", token)["dpop"]

    in_query = ask(site, "GET", f"/userinfo?access_token={token}", headers=(("dpop", proof),))

    assert in_query.status == 401
    assert first.userinfo(token).status_code == 401


def test_a_resource_takes_foreign_headers_and_any_accept(site: Site) -> None:
    party = FapiParty(site)
    token = party.sign_in()["access_token"]

    for accept in ("application/json", "*/*", "application/json;charset=UTF-8", "text/plain"):
        sent = party.headers("GET", "/userinfo", token) | {
            "accept": accept,
            "x-fapi-interaction-id": "c770aef3-6784-41f7-8e0e-ff5f97bddb3a",
            "x-fapi-auth-date": "Mon, 05 Jan 2026 08:00:00 GMT",
            "x-fapi-customer-ip-address": "198.51.100.119",
        }
        assert site.http.get("/userinfo", headers=sent).status_code == 200


def test_user_rejects_authentication(site: Site) -> None:
    party = FapiParty(site, redirect_uris=(DUMMY,))
    browser = Browser(site.browser(), site.issuer)
    page = browser.log_in(browser.go(party.opening()), make_user(site))

    answer = party.read(browser.deny(page))

    assert answer.error == "access_denied"
    assert answer.params["state"] == party.state
    assert answer.params["iss"] == site.issuer
    assert answer.location.startswith(f"{DUMMY}&")


@pytest.mark.parametrize("name", ["state", "nonce"])
def test_a_request_without_state_or_nonce_succeeds(site: Site, name: str) -> None:
    party = FapiParty(site)

    answer = party.answer(**{name: None})
    tokens = party.redeem(answer.code).json()

    assert ("state" in answer.params) == (name != "state")
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert ("nonce" in claims) == (name != "nonce")


@pytest.mark.parametrize(("state", "nonce"), [(1000, 64), (10, 384)])
def test_long_state_and_nonce_come_back_whole(site: Site, state: int, nonce: int) -> None:
    party = FapiParty(site)
    party.state, party.nonce = "s" * state, "n" * nonce

    answer = party.answer()
    tokens = party.redeem(answer.code).json()

    assert answer.params["state"] == party.state
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["nonce"] == party.nonce


def test_what_stands_beside_the_request_uri_is_ignored(site: Site) -> None:
    party = FapiParty(site)
    browser = Browser(site.browser(), site.issuer)
    page = browser.go(party.opening() + "&state=outside&nonce=outside&scope=email")

    answer = party.read(browser.allow(browser.log_in(page, make_user(site))))
    tokens = party.redeem(answer.code).json()

    assert answer.params["state"] == party.state
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["nonce"] == party.nonce


def test_a_request_that_was_not_pushed_is_refused(site: Site) -> None:
    party = FapiParty(site)

    answer = party.read(Browser(site.browser(), site.issuer).go(party.url()))

    assert answer.error == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": None},
        {"response_type": "code id_token"},
        {"response_type": "code token"},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
    ],
    ids=str,
)
def test_what_is_refused_at_par(site: Site, changes: dict[str, str | None]) -> None:
    party = FapiParty(site)

    assert refused(party.push(**changes), "invalid_request", "unsupported_response_type")


def test_a_request_uri_of_another_client_is_refused(site: Site) -> None:
    party, other = FapiParty(site), FapiParty(site)
    address = party.opening().replace(party.app.client_id, other.app.client_id)

    page = Browser(site.browser(), site.issuer).go(address)

    assert page.status_code == 400
    assert "location" not in page.headers


def test_put_is_no_way_to_push(site: Site) -> None:
    assert site.http.put("/par", data={"a": "b"}).status_code == 405


def test_a_client_without_a_proof_gets_no_token(site: Site) -> None:
    party = FapiParty(site)
    code = party.answer().code
    party.proofs = None

    assert refused(party.redeem(code), "invalid_request", "invalid_grant")


@pytest.mark.parametrize("by", ["proof", "dpop_jkt"])
def test_a_code_is_bound_to_the_key_of_its_request(site: Site, by: str) -> None:
    party = FapiParty(site)
    party.proving = {"/par", "/token"} if by == "proof" else {"/token"}
    code = party.answer(dpop_jkt=party.jkt if by == "dpop_jkt" else None).code
    good, party.proofs = party.proofs, proofs_for(site)

    assert refused(party.redeem(code), "invalid_grant")
    party.proofs = good
    assert party.redeem(code).status_code == 200


def test_a_proof_and_another_dpop_jkt_are_refused_at_par(site: Site) -> None:
    assert refused(FapiParty(site).push(dpop_jkt=Key().jkt), "invalid_dpop_proof")


@pytest.mark.parametrize("seconds", [-10, 10])
def test_proofs_of_clocks_that_differ_by_ten_seconds_are_good(site: Site, seconds: int) -> None:
    party = FapiParty(site)
    assert party.proofs is not None
    party.proofs = Proofs(
        site.issuer, lambda: site.clock.now.timestamp() + seconds, party.proofs.key
    )

    assert party.userinfo(party.sign_in()["access_token"]).status_code == 200


def test_a_code_belongs_to_its_client(site: Site) -> None:
    party, other = FapiParty(site), FapiParty(site)
    code = party.answer().code

    assert refused(other.redeem(code, code_verifier=party.verifier), "invalid_grant")
    assert refused(
        party.redeem(code, client_id=other.app.client_id),
        "invalid_client",
        "invalid_grant",
        statuses=(400, 401),
    )


def test_a_code_that_comes_again_kills_what_it_gave(site: Site) -> None:
    party = FapiParty(site)
    code = party.answer().code
    token = party.redeem(code).json()["access_token"]
    site.clock.advance(1)

    assert refused(party.redeem(code), "invalid_grant")
    assert party.userinfo(token).status_code == 401


def test_a_code_is_dead_after_a_minute(site: Site) -> None:
    party = FapiParty(site)
    code = party.answer().code
    site.clock.advance(62)

    assert refused(party.redeem(code), "invalid_grant")


@pytest.mark.parametrize("verifier", ["", "x" * 43])
def test_a_missing_or_wrong_verifier_is_an_invalid_grant(site: Site, verifier: str) -> None:
    party = FapiParty(site)

    assert refused(party.redeem(party.answer().code, code_verifier=verifier), "invalid_grant")


MINUTE = 60
BEGINNING = 1767603600
BAD_ASSERTIONS: dict[str, dict[str, Any]] = {
    "expired": {"exp": BEGINNING - 5 * MINUTE},
    "another audience": {"aud": "https://id.example.org"},
    "the token endpoint": {"aud": "https://id.example.com/token"},
    "the PAR endpoint": {"aud": "https://id.example.com/par"},
    "a list": {"aud": ["https://id.example.com"]},
    "no sub": {"sub": None},
    "nbf in the future": {"nbf": BEGINNING + 90, "exp": BEGINNING + 200},
}


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
def test_bad_assertions_are_refused(site: Site, name: str) -> None:
    party = FapiParty(site)
    code = party.answer().code
    party.changes = BAD_ASSERTIONS[name]

    for answer in (party.push(), party.redeem(code)):
        assert refused(answer, "invalid_client", "invalid_request", statuses=(400, 401))


def test_an_assertion_with_rs256_is_refused(site: Site) -> None:
    party = FapiParty(site)
    party.key = KEYS["RS256"]

    assert refused(party.push(), "invalid_client", statuses=(401,))


def test_an_assertion_that_begins_in_eight_seconds_is_good(site: Site) -> None:
    party = FapiParty(site)
    party.changes = {"nbf": BEGINNING + 8, "iat": BEGINNING + 8}

    assert party.push().status_code == 201


def test_a_request_without_an_assertion_is_refused(site: Site) -> None:
    party = FapiParty(site)
    code = party.answer().code

    answer = site.http.post(
        "/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "client_id": party.app.client_id,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": party.verifier,
        },
        headers=party.headers("POST", "/token"),
    )

    assert refused(answer, "invalid_client", statuses=(401,))


def test_refreshing_takes_a_new_key_and_keeps_the_token(site: Site) -> None:
    party = FapiParty(site)
    token = party.sign_in()["refresh_token"]

    party.proofs = proofs_for(site)
    second = party.refresh(token).json()
    site.clock.advance(30)
    third = party.refresh(token).json()

    assert second["refresh_token"] == third["refresh_token"] == token
    assert second["token_type"] == "DPoP"
    assert party.userinfo(third["access_token"]).status_code == 200


def test_refreshing_needs_a_proof_and_the_client(site: Site) -> None:
    party, other = FapiParty(site), FapiParty(site)
    token = party.sign_in()["refresh_token"]
    unproven = {"grant_type": "refresh_token", "refresh_token": token}

    assert refused(
        site.http.post(
            "/token",
            data={**unproven, "client_id": party.app.client_id},
            headers=party.headers("POST", "/token"),
        ),
        "invalid_client",
        statuses=(400, 401),
    )
    assert refused(other.refresh(token), "invalid_grant")
    party.proofs = None
    assert refused(party.refresh(token), "invalid_request", "invalid_grant")


def test_discovery_says_what_the_profile_asks_for(site: Site) -> None:
    found = site.http.get("/.well-known/openid-configuration").json()
    strong = {"PS256", "ES256", "EdDSA"}

    assert "code" in found["response_types_supported"]
    assert found["pushed_authorization_request_endpoint"].startswith("https://")
    assert isinstance(found["require_pushed_authorization_requests"], bool)
    assert found["authorization_response_iss_parameter_supported"] is True
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert "S256" in found["code_challenge_methods_supported"]
    assert "openid" in found["scopes_supported"]
    for name in (
        "dpop_signing_alg_values_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
    ):
        assert strong & set(found[name])
