"""The FAPI 2.0 Security Profile plan: what `tests/specs/test_fapi2_security_profile.py` leaves out.

With private_key_jwt and DPoP; what needs TLS is left to the proxy in front of the server.
"""

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest

from oidc_server.domain.claims import SCOPE_CLAIMS
from tests.browser import Browser
from tests.client_assertions import KEYS
from tests.conformance import checks
from tests.conformance.conftest import person_with_every_claim
from tests.dpop import proofs_for
from tests.factories import REDIRECT_URI, make_user
from tests.fapi_party import FapiParty, refused
from tests.site import BEGINNING, ISSUER, Site

MINUTE = 60
STANDARD = ["sub", *(one for name in SCOPE_CLAIMS for one in SCOPE_CLAIMS[name] if name != "roles")]
FORMS: list[Any] = [None, {}, {"essential": True}, {"x4Fk": "y8Tn"}, {"essential": False}]
"""How a claim can be asked for without a value (Core §5.5.1)."""


def asked_for(claims: list[str]) -> dict[str, Any]:
    return {claim: FORMS[place % len(FORMS)] for place, claim in enumerate(claims)}


def test_every_claim_is_told_however_it_is_asked_for(site: Site) -> None:
    """fapi2-security-profile-final-test-claims-parameter-identity-claims."""
    party, person = FapiParty(site), person_with_every_claim(site)
    browser = Browser(site.browser(), site.issuer)
    asked = {
        "id_token": asked_for(STANDARD),
        "userinfo": asked_for(STANDARD),
        "kP3x": asked_for(["q9Zr"]),
    }

    page = browser.log_in(
        browser.go(party.opening(scope="openid", claims=json.dumps(asked))), person
    )
    tokens = party.redeem(party.read(browser.allow(page)).code).json()
    in_token = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    told = checks.of_json(party.userinfo(tokens["access_token"]))

    checks.of_claims(told)
    checks.of_claims(in_token)
    assert told.keys() == set(STANDARD)
    assert in_token.keys() - checks.ID_TOKEN == set(STANDARD) - {"sub"}
    assert told["sub"] == in_token["sub"]


def test_the_order_of_scopes_does_not_matter(site: Site) -> None:
    """fapi2-security-profile-final-ensure-other-scope-order-succeeds."""
    party = FapiParty(site)

    tokens = party.redeem(party.answer(scope="email profile openid").code).json()

    assert tokens["id_token"]


def test_a_state_that_was_not_pushed_is_not_told(site: Site) -> None:
    """fapi2-security-profile-final-state-only-outside-request-object-not-used."""
    party, browser = FapiParty(site), Browser(site.browser(), site.issuer)
    page = browser.go(party.opening(state=None) + f"&state={secrets.token_urlsafe(8)}")

    answer = party.read(browser.allow(browser.log_in(page, make_user(site))))

    assert answer.params.keys() == {"code", "iss"}


def test_an_address_that_is_not_registered_is_not_pushed(site: Site) -> None:
    """fapi2-security-profile-final-plain-fapi-tolerate-unregistered-redirect-uri."""
    party = FapiParty(site)

    answer = party.push(redirect_uri=f"{REDIRECT_URI}/{secrets.token_urlsafe(8)}")

    assert refused(answer, "invalid_request", "invalid_request_object")


def test_a_request_uri_is_used_up_by_the_answer_and_by_nothing_before(site: Site) -> None:
    """fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds,
    fapi2-security-profile-final-par-attempt-reuse-request_uri,
    fapi2-security-profile-final-par-without-duplicate-parameters."""
    party, browser = FapiParty(site), Browser(site.browser(), site.issuer)
    opening = party.opening()

    first = browser.go(opening)
    page = browser.log_in(browser.go(opening), make_user(site))
    answer = party.read(browser.allow(page))
    again = browser.go(opening)

    assert 'id="sign-in"' in first.text
    assert party.redeem(answer.code).status_code == 200
    assert checks.is_page(again)
    assert 'id="sign-in"' not in again.text


def test_a_request_uri_that_has_expired_is_a_page(site: Site) -> None:
    """fapi2-security-profile-final-par-attempt-to-use-expired-request_uri."""
    party, browser = FapiParty(site), Browser(site.browser(), site.issuer)
    pushed = checks.of_json(party.push(), 201)
    opening = f"/authorize?client_id={party.app.client_id}&request_uri={pushed['request_uri']}"

    site.clock.advance(timedelta(seconds=pushed["expires_in"] + 1))
    page = browser.go(opening)

    assert pushed["expires_in"] <= 10 * MINUTE
    assert page.status_code == 400
    assert checks.is_page(page)


@pytest.mark.parametrize("scheme", ["dPOP", "dpop"])
def test_the_scheme_of_the_token_has_no_case(site: Site, scheme: str) -> None:
    """fapi2-security-profile-final-access-token-type-header-case-sensitivity."""
    party = FapiParty(site)
    token = party.sign_in()["access_token"]
    sent = party.headers("GET", "/userinfo", token)

    answer = site.http.get("/userinfo", headers={**sent, "authorization": f"{scheme} {token}"})

    assert answer.status_code == 200


@pytest.mark.parametrize("extra", [("nbf",), ("exp",), ("nbf", "exp")])
def test_a_proof_may_say_when_it_is_good(site: Site, extra: tuple[str, ...]) -> None:
    """fapi2-security-profile-final-check-dpop-proof-nbf-exp."""
    party = FapiParty(site)
    token = party.sign_in()["access_token"]
    now = int(site.clock.now.timestamp())
    times: dict[str, Any] = {"nbf": now, "exp": now + 5 * MINUTE}
    assert party.proofs is not None

    proof = party.proofs.make("GET", "/userinfo", token, **{name: times[name] for name in extra})

    sent = {"authorization": f"DPoP {token}", "dpop": proof}
    assert site.http.get("/userinfo", headers=sent).status_code == 200


def test_without_openid_there_is_no_id_token(site: Site) -> None:
    """fapi2-security-profile-final-happy-flow, as plain OAuth."""
    party = FapiParty(site, scopes=("account:read",))

    answer = party.answer(scope="account:read", nonce=None)
    tokens = checks.of_json(party.redeem(answer.code))
    sent = party.headers("GET", "/api/v1/me", tokens["access_token"])

    assert "id_token" not in tokens
    assert site.http.get("/api/v1/me", headers=sent).status_code == 200


# · the plan of the client credentials grant


def unsigned(fields: dict[str, str]) -> dict[str, str]:
    claims = jwt.decode(fields["client_assertion"], options={"verify_signature": False})
    return {**fields, "client_assertion": jwt.encode(claims, "", algorithm="none")}


def spoilt(fields: dict[str, str]) -> dict[str, str]:
    head, claims, signature = fields["client_assertion"].split(".")
    return {**fields, "client_assertion": ".".join((head, claims, signature[::-1]))}


BENT: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no assertion": lambda _fields: {},
    "no type": lambda fields: {"client_assertion": fields["client_assertion"]},
    "another type": lambda fields: {**fields, "client_assertion_type": "urn:example:other"},
    "alg none": unsigned,
    "an invalid signature": spoilt,
}
"""What becomes of the fields of a good assertion."""


def service(site: Site) -> FapiParty:
    return FapiParty(
        site, client_type="service", grant_types=("client_credentials",), scopes=("users:read",)
    )


def ask_for_token(party: FapiParty) -> Any:
    return party.token(grant_type="client_credentials", scope="users:read")


def at_the_api(site: Site, party: FapiParty, token: str) -> int:
    path = "/api/v1/admin/users"
    return site.http.get(path, headers=party.headers("GET", path, token)).status_code


def test_a_service_gets_a_token_that_is_bound_to_its_key(site: Site) -> None:
    """fapi2-security-profile-final-happy-flow."""
    party, other = service(site), service(site)

    body = checks.of_json(ask_for_token(party))

    assert body["token_type"] == "DPoP"
    assert body["expires_in"] > 0
    assert "id_token" not in body
    assert at_the_api(site, party, body["access_token"]) == 200
    assert at_the_api(site, other, body["access_token"]) == 401
    assert (
        "client_credentials"
        in site.http.get("/.well-known/oauth-authorization-server").json()["grant_types_supported"]
    )


def test_a_service_without_a_proof_gets_no_token(site: Site) -> None:
    """fapi2-security-profile-final-ensure-holder-of-key-required."""
    party = service(site)
    party.proofs = None

    assert refused(ask_for_token(party), "invalid_request", "invalid_grant")


@pytest.mark.parametrize("seconds", [-10, 10])
def test_the_clock_of_a_service_may_be_off_by_ten_seconds(site: Site, seconds: int) -> None:
    """fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds,
    fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds."""
    party = service(site)
    good = proofs_for(site)
    party.proofs = type(good)(good.issuer, lambda: good.now() + seconds, good.key)

    token = checks.of_json(ask_for_token(party))["access_token"]

    assert at_the_api(site, party, token) == 200


NOW = int(BEGINNING.timestamp())
BAD_ASSERTIONS: dict[str, dict[str, Any]] = {
    "sub missing": {"sub": None},
    "sub wrong": {"sub": "somebody"},
    "iss missing": {"iss": None},
    "iss wrong": {"iss": "somebody"},
    "aud missing": {"aud": None},
    "aud wrong": {"aud": "https://id.example.org"},
    "aud the PAR endpoint": {"aud": f"{ISSUER}/par"},
    "aud the token endpoint": {"aud": f"{ISSUER}/token"},
    "aud an array": {"aud": [ISSUER, "https://id.example.org"]},
    "aud an array of one": {"aud": [ISSUER]},
    "exp in the past": {"exp": NOW - 5 * MINUTE},
    "in the future": {"iat": NOW + 90, "nbf": NOW + 90, "exp": NOW + 150},
}


@pytest.mark.parametrize("ask", [FapiParty.push, ask_for_token], ids=["par", "token"])
def test_no_assertion_passes_but_a_good_one(site: Site, ask: Callable[[FapiParty], Any]) -> None:
    """fapi2-security-profile-final-ensure-invalid-client-assertions-fail,
    fapi2-security-profile-final-ensure-client-assertion-in-token-endpoint,
    fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails."""
    party = FapiParty(site) if ask is FapiParty.push else service(site)
    good = party.assertion

    def is_refused() -> bool:
        statuses = {"invalid_client": 401, "invalid_request": 400}
        answer = ask(party)
        return refused(answer, *statuses, statuses=(statuses[answer.json()["error"]],))

    for changes in BAD_ASSERTIONS.values():
        party.changes = changes
        assert is_refused()
    party.changes = {}
    for bend in BENT.values():
        party.assertion = lambda bend=bend: bend(good())  # type: ignore[method-assign, misc]
        assert is_refused()
    party.assertion = good  # type: ignore[method-assign]
    party.key = KEYS["RS256"]
    assert is_refused()
    party.key = KEYS["PS256"]
    for changes in ({"iat": NOW + 8, "nbf": NOW + 8}, {}):
        party.changes = changes
        assert ask(party).status_code in (200, 201)
