"""The Dynamic plan: every client registers itself and proves itself by its key."""

import base64
import hashlib
import json
from typing import Any

import jwt
import pytest

from tests.conformance import checks
from tests.conformance.client_keys import ClientKey
from tests.conformance.conftest import person_with_every_claim, suite_for
from tests.conformance.suite import CALLBACK, KEYS, TWICE, Party, Suite
from tests.factories import Person
from tests.services.external_service import ExternalService, saying
from tests.site import Site

ELSEWHERE = "https://elsewhere.example.org/callback"


def signing(suite: Suite, **changes: Any) -> Party:
    return suite.party(**{"token_endpoint_auth_method": "private_key_jwt", **changes})


def publish(other: ExternalService, key: ClientKey) -> str:
    other.behaviour = saying(json.dumps(key.key_set()).encode())
    return other.url("/jwks", host="localhost")


@pytest.fixture
def beside(private_site: Site) -> Suite:
    """The suite, on addresses that the server may ask."""
    return suite_for(private_site)


@pytest.fixture
def somebody(private_site: Site) -> Person:
    return person_with_every_claim(private_site)


def test_the_issuer_is_an_audience_of_assertions_too(suite: Suite, person: Person) -> None:
    """oidcc-ensure-client-assertion-with-iss-aud-succeeds."""
    party = signing(suite)

    response = party.redeem(party.authorize(person), aud=suite.issuer)

    party.tokens(response)


def test_an_algorithm_is_registered_for_id_tokens(suite: Suite, person: Person) -> None:
    """oidcc-idtoken-rs256."""
    tokens, _ = signing(suite, id_token_signed_response_alg="RS256").flow(person)

    assert tokens.header["alg"] == "RS256"


def test_userinfo_is_signed_for_a_client_that_registered_it(suite: Suite, person: Person) -> None:
    """oidcc-userinfo-rs256."""
    party = signing(suite, userinfo_signed_response_alg="RS256")
    tokens = party.tokens(party.redeem(party.authorize(person)))

    response = party.userinfo(tokens.access_token)

    header = jwt.get_unverified_header(response.text)
    key = suite.keys()[header["kid"]].key
    told = jwt.decode(
        response.text, key, ["RS256"], audience=party.client["client_id"], issuer=suite.issuer
    )
    assert response.headers["content-type"] == "application/jwt"
    assert told["sub"] == tokens.id_token["sub"]
    assert "nonce" not in told


def test_of_two_addresses_one_has_to_be_named(suite: Suite) -> None:
    """oidcc-ensure-redirect-uri-in-authorization-request."""
    party = signing(suite, redirect_uris=[CALLBACK, ELSEWHERE])

    page = party.browser.go(party.url(redirect_uri=None))

    assert page.status_code == 400
    assert checks.is_page(page)


def test_a_registered_query_comes_back_before_the_answer(suite: Suite, person: Person) -> None:
    """oidcc-redirect-uri-query-OK."""
    signing(suite, redirect_uris=[f"{CALLBACK}?bar=foo"]).flow(person)


@pytest.mark.parametrize(
    ("registered", "sent"),
    [("?bar=foo", "?bar=other"), ("", "?bar=foo"), ("?bar=foo", ""), ("?bar=foo", "?bar=foo&x=y")],
)
def test_another_query_is_another_address(suite: Suite, registered: str, sent: str) -> None:
    """oidcc-redirect-uri-query-mismatch, oidcc-redirect-uri-query-added."""
    party = signing(suite, redirect_uris=[f"{CALLBACK}{registered}"])

    page = party.browser.go(party.url(redirect_uri=f"{CALLBACK}{sent}"))

    assert page.status_code == 400
    assert checks.is_page(page)


def test_an_address_with_a_fragment_is_not_registered(suite: Suite) -> None:
    """oidcc-redirect-uri-regfrag."""
    answer = suite.ask_to_register(**suite.describe(redirect_uris=[f"{CALLBACK}#foobar"]))

    checks.of_error(answer, "invalid_redirect_uri")


def test_policy_and_terms_are_linked_and_no_logo_is_shown(suite: Suite) -> None:
    """oidcc-registration-logo-uri, oidcc-registration-policy-uri, oidcc-registration-tos-uri."""
    home = "https://suite.example.org"
    party = signing(
        suite, logo_uri=f"{home}/logo.png", policy_uri=f"{home}/policy", tos_uri=f"{home}/terms"
    )

    page = party.browser.go(party.url())

    assert 'id="sign-in"' in page.text
    assert f'href="{home}/policy"' in page.text
    assert f'href="{home}/terms"' in page.text
    assert party.client["logo_uri"] not in page.text


def test_the_address_that_begins_a_sign_in_is_told_back(suite: Suite) -> None:
    """oidcc-3rd_party-init-login."""
    address = "https://suite.example.org/begin"
    client = signing(suite, initiate_login_uri=address).client

    token = {"authorization": f"Bearer {client['registration_access_token']}"}
    told = suite.http.get(client["registration_client_uri"], headers=token)

    assert told.headers["content-type"] == "application/json"
    assert client["initiate_login_uri"] == told.json()["initiate_login_uri"] == address


@pytest.mark.parametrize("host", ["suite.example.org", "localhost:8443", "127.0.0.1"])
def test_the_address_that_begins_a_sign_in_has_https(suite: Suite, host: str) -> None:
    """oidcc-3rd_party-init-login-nohttps, wherever the suite runs."""
    sent = suite.describe(initiate_login_uri=f"http://{host}/begin")

    checks.of_error(suite.ask_to_register(**sent), "invalid_client_metadata")


def test_what_plans_of_other_flows_register_is_refused(suite: Suite) -> None:
    """The modules that ask for an ID Token from the front channel."""
    for response_type in ("id_token", "id_token token", "code id_token"):
        sent = suite.describe(response_types=[response_type], grant_types=["implicit"])

        checks.of_error(suite.ask_to_register(**sent), "invalid_client_metadata")


def test_the_keys_at_an_address_prove_the_client(
    beside: Suite, somebody: Person, other: ExternalService
) -> None:
    """oidcc-registration-jwks-uri."""
    party = signing(beside, jwks=None, jwks_uri=publish(other, KEYS[0]))

    party.flow(somebody)

    assert [path for _, path, *_ in other.asked] == ["/jwks"]


def test_a_refresh_works_with_a_key_that_was_published_since(
    private_site: Site, beside: Suite, somebody: Person, other: ExternalService
) -> None:
    """oidcc-refresh-token-rp-key-rotation."""
    party = signing(beside, grant_types=TWICE, jwks=None, jwks_uri=publish(other, KEYS[0]))
    first, _ = party.flow(somebody, scope="openid offline_access", prompt="consent")

    publish(other, KEYS[1])
    party.key = KEYS[1]
    private_site.clock.advance(60)
    second = party.tokens(party.refresh(first.body["refresh_token"]), refreshed=True)

    assert second.id_token["sub"] == first.id_token["sub"]


def test_a_sector_lists_every_address_of_its_clients(
    beside: Suite, somebody: Person, other: ExternalService
) -> None:
    """oidcc-registration-sector-uri, oidcc-registration-sector-bad."""
    other.behaviour = saying(json.dumps([CALLBACK]).encode())
    sector: dict[str, Any] = {
        "token_endpoint_auth_method": "private_key_jwt",
        "sector_identifier_uri": other.url("/sector", host="localhost"),
        "subject_type": "pairwise",
    }

    tokens, _ = beside.party(**sector).flow(somebody)
    bad = beside.ask_to_register(**beside.describe(redirect_uris=[ELSEWHERE], **sector))

    assert tokens.id_token["sub"] != somebody.id
    checks.of_error(bad, "invalid_client_metadata")


def test_a_signed_object_behind_a_registered_address_is_the_request(
    beside: Suite, somebody: Person, other: ExternalService
) -> None:
    """oidcc-request-uri-signed-rs256. The address is registered before there is an object, so its
    fragment is the digest of something else, as it is in the suite."""
    fragment = base64.urlsafe_b64encode(hashlib.sha256(b"something else").digest()).rstrip(b"=")
    request_uri = f"{other.url('/requesturi/x', host='localhost')}#{fragment.decode()}"
    party = signing(beside, request_object_signing_alg="RS256", request_uris=[request_uri])
    party.url()
    inside = party.sent
    issued = {"iss": party.client["client_id"], "aud": beside.issuer}
    token = party.key.sign({**inside, **issued})
    other.behaviour = saying(token.encode(), content_type="application/jwt")

    page = party.browser.go(party.url(request_uri=request_uri, state=None, nonce=None))
    party.sent = inside
    tokens = party.tokens(party.redeem(party.read(party.pass_pages(page, somebody))))

    assert tokens.id_token["nonce"] == inside["nonce"]
    assert beside.metadata["request_uri_parameter_supported"] is True
