"""The FAPI 2.0 Message Signing plan: signed requests are pushed, and answers are signed (JARM)."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from httpx2 import Response

from oidc_server.security.jose import SigningKey
from tests.browser import Browser
from tests.client_assertions import KEYS, key_set
from tests.conformance import checks
from tests.factories import make_user
from tests.fapi_party import FapiParty, refused
from tests.site import BEGINNING, Site

NOW = int(BEGINNING.timestamp())
HOUR = 3600
OURS = "https://id.example.com"


def signing(site: Site, **client: Any) -> FapiParty:
    return FapiParty(site, require_signed_request_object=True, **client)


def contents(party: FapiParty, **changes: Any) -> dict[str, Any]:
    """As the suite fills it; a change to None leaves a member out."""
    members = {
        **party.parameters(),
        "iss": party.app.client_id,
        "aud": OURS,
        "nbf": NOW,
        "exp": NOW + 300,
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def push(party: FapiParty, request: str) -> Response:
    return party.post("/par", client_id=party.app.client_id, request=request)


@pytest.mark.parametrize(
    ("typ", "more"),
    [
        (None, {}),
        ("oauth-authz-req+jwt", {"iat": NOW}),
        (None, {"aud": [OURS, "https://other.example.org"]}),
        (None, {"nbf": NOW + 8}),
        (None, {"state": None}),
        (None, {"nonce": None}),
        (None, {"nonce": "n" * 64}),
    ],
    ids=str,
)
def test_a_signed_request_is_pushed_and_answered(
    site: Site, typ: str | None, more: dict[str, Any]
) -> None:
    """fapi2-security-profile-final-happy-flow,
    fapi2-security-profile-final-ensure-request-object-with-multiple-aud-succeeds,
    fapi2-security-profile-final-ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted,
    fapi2-security-profile-final-ensure-authorization-request-without-state-success,
    fapi2-security-profile-final-ensure-authorization-request-without-nonce-success,
    fapi2-security-profile-final-ensure-authorization-request-with-64-char-nonce-success."""
    party, browser = signing(site), Browser(site.browser(), site.issuer)
    inside = contents(party, **more)

    pushed = checks.of_json(push(party, KEYS["PS256"].sign(inside, typ)), 201)
    opening = f"/authorize?client_id={party.app.client_id}&request_uri={pushed['request_uri']}"
    page = browser.log_in(browser.go(f"{opening}&state=outside"), make_user(site))
    answer = party.read(browser.allow(page))
    tokens = party.redeem(answer.code).json()

    assert answer.params["iss"] == site.issuer
    assert answer.params.get("state") == inside.get("state")
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims.get("nonce") == inside.get("nonce")
    assert tokens["token_type"] == "DPoP"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"nbf": None},
        {"exp": NOW - 300},
        {"exp": NOW + HOUR + 300},
        {"nbf": NOW - HOUR - 600, "exp": NOW + 300},
        {"aud": "https://other.example.org"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
    ],
    ids=str,
)
def test_a_request_object_that_does_not_hold_is_refused(
    site: Site, changes: dict[str, Any]
) -> None:
    """fapi2-security-profile-final-ensure-request-object-without-exp-fails,
    fapi2-security-profile-final-ensure-request-object-without-nbf-fails,
    fapi2-security-profile-final-ensure-expired-request-object-fails,
    fapi2-security-profile-final-ensure-request-object-with-exp-over-60-fails,
    fapi2-security-profile-final-ensure-request-object-with-nbf-over-60-fails,
    fapi2-security-profile-final-ensure-request-object-with-bad-aud-fails,
    fapi2-security-profile-final-par-authorization-request-containing-request_uri."""
    party = signing(site)

    answer = push(party, KEYS["PS256"].sign(contents(party, **changes)))

    assert refused(answer, "invalid_request_object")


@pytest.mark.parametrize("changes", [{"redirect_uri": None}, {"response_type": "code id_token"}])
def test_what_is_wrong_inside_is_refused_as_it_would_be_outside(
    site: Site, changes: dict[str, Any]
) -> None:
    """fapi2-security-profile-final-ensure-request-object-without-redirect-uri-fails,
    fapi2-security-profile-final-ensure-response-type-code-idtoken-fails."""
    party = signing(site)

    answer = push(party, KEYS["PS256"].sign(contents(party, **changes)))

    assert refused(answer, "invalid_request", "unsupported_response_type")


def test_a_signature_that_proves_nothing_is_refused(site: Site) -> None:
    """fapi2-security-profile-final-ensure-signed-request-object-with-RS256-fails,
    fapi2-security-profile-final-ensure-request-object-signature-algorithm-is-not-none,
    fapi2-security-profile-final-ensure-request-object-with-invalid-signature-fails,
    fapi2-security-profile-final-ensure-matching-key-in-authorization-request."""
    party = signing(site)
    inside, stranger = contents(party), SigningKey.generate("PS256")
    signing(site, jwks=key_set(stranger))
    good = KEYS["PS256"].sign(inside)
    middle = len(good) - 100

    for request in (
        KEYS["RS256"].sign(inside),
        jwt.encode(inside, "", algorithm="none"),
        good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :],
        stranger.sign(inside),
    ):
        assert refused(push(party, request), "invalid_request_object")


def test_a_request_that_is_not_signed_is_refused(site: Site) -> None:
    """fapi2-security-profile-final-ensure-unsigned-request-at-par-endpoint-fails."""
    assert refused(signing(site).push(), "invalid_request")


def test_discovery_tells_how_requests_and_answers_are_signed(site: Site) -> None:
    """fapi2-security-profile-final-discovery-end-point-verification."""
    found = site.http.get("/.well-known/openid-configuration").json()

    assert "jwt" in found["response_modes_supported"]
    for what in ("request_object", "authorization"):
        assert {"PS256", "ES256", "EdDSA"} <= set(found[f"{what}_signing_alg_values_supported"])


# · with JARM


def opened(party: FapiParty, answer: Response) -> dict[str, Any]:
    """The claims of an answer in the query, after the checks of the suite."""
    parts = urlsplit(answer.headers["location"])
    [(name, token)] = parse_qsl(parts.query, strict_parsing=True)
    head = jwt.get_unverified_header(token)
    found = party.server.http.get("/jwks.json").json()["keys"]
    [key] = [jwt.PyJWK(key) for key in found if key["kid"] == head["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token,
        key.key,
        ["PS256", "ES256", "EdDSA"],
        audience=party.app.client_id,
        issuer=OURS,
        options={"verify_exp": False, "require": ["exp", "iss", "aud"]},
    )
    assert (name, parts.fragment) == ("response", "")
    assert NOW < claims["exp"] <= NOW + 600
    return claims


@pytest.mark.parametrize("alg", [None, "PS256", "ES256", "EdDSA"])
def test_an_answer_is_signed(site: Site, alg: str | None) -> None:
    """fapi2-security-profile-final-happy-flow."""
    party = signing(site, authorization_signed_response_alg=alg)
    browser = Browser(site.browser(), site.issuer)
    inside = contents(party, response_mode="jwt")

    pushed = checks.of_json(push(party, KEYS["PS256"].sign(inside)), 201)
    opening = f"/authorize?client_id={party.app.client_id}&request_uri={pushed['request_uri']}"
    page = browser.log_in(browser.go(opening), make_user(site))
    claims = opened(party, browser.allow(page))

    assert claims.keys() == {"iss", "aud", "exp", "code", "state"}
    assert claims["state"] == party.state
    assert party.redeem(claims["code"]).status_code == 200


def test_a_refusal_is_signed(site: Site) -> None:
    """fapi2-security-profile-final-user-rejects-authentication,
    fapi2-security-profile-final-ensure-authorization-request-without-state-success."""
    party, browser = signing(site), Browser(site.browser(), site.issuer)
    inside = contents(party, response_mode="jwt", state=None)
    pushed = checks.of_json(push(party, KEYS["PS256"].sign(inside)), 201)
    opening = f"/authorize?client_id={party.app.client_id}&request_uri={pushed['request_uri']}"

    page = browser.log_in(browser.go(opening), make_user(site))
    claims = opened(party, browser.deny(page))

    assert claims["error"] == "access_denied"
    assert "state" not in claims
