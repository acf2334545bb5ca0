"""OpenID Connect Discovery §3, RFC 8414 §2: the document tells the truth about this server."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from oidc_server.routes import METADATA_ENDPOINTS, ROUTES
from oidc_server.web.endpoint import Endpoint
from oidc_server.web.errors import as_oauth
from tests.factories import make_client
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import ask

ADDRESSES = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
LISTS = (
    "acr_values_supported",
    "authorization_signing_alg_values_supported",
    "claim_types_supported",
    "claims_supported",
    "code_challenge_methods_supported",
    "display_values_supported",
    "dpop_signing_alg_values_supported",
    "grant_types_supported",
    "id_token_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported",
    "id_token_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "introspection_signing_alg_values_supported",
    "prompt_values_supported",
    "request_object_signing_alg_values_supported",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "scopes_supported",
    "subject_types_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "ui_locales_supported",
    "userinfo_encryption_alg_values_supported",
    "userinfo_encryption_enc_values_supported",
    "userinfo_signing_alg_values_supported",
)
BOOLEANS = (
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_session_supported",
    "backchannel_logout_supported",
    "claims_parameter_supported",
    "frontchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "require_request_uri_registration",
)


def document(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.http.get(ADDRESSES[0]).json()
    return found


def test_both_addresses_answer_the_same_to_everybody(site: Site) -> None:
    answers = [site.http.get(address, headers={"origin": "null"}) for address in ADDRESSES]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}
    assert len({answer.content for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_every_member_has_the_type_that_the_specification_gives_it(open_site: Site) -> None:
    found = document(open_site)

    lists = {name for name, value in found.items() if isinstance(value, list)}
    booleans = {name for name, value in found.items() if isinstance(value, bool)}
    addresses = found.keys() - lists - booleans

    assert lists == set(LISTS)
    assert booleans == set(BOOLEANS)
    assert addresses == {"issuer", *METADATA_ENDPOINTS}
    for name in lists:
        assert found[name]
        assert all(isinstance(word, str) and word for word in found[name])
        assert len(set(found[name])) == len(found[name])
    for name in addresses:
        parts = urlsplit(found[name])
        assert (parts.scheme, parts.netloc) == ("https", "id.example.com")
        assert not parts.query
        assert not parts.fragment


def test_what_certification_asks_for_is_there(site: Site) -> None:
    found = document(site)

    assert found["issuer"] == site.issuer
    assert "code" in found["response_types_supported"]
    assert "openid" in found["scopes_supported"]
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert "none" not in found["id_token_signing_alg_values_supported"]
    assert "none" not in found["request_object_signing_alg_values_supported"]
    assert "S256" in found["code_challenge_methods_supported"]
    assert "form_post" in found["response_modes_supported"]
    assert set(found["subject_types_supported"]) == {"public", "pairwise"}
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["request_uri_parameter_supported"] is True
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("name", METADATA_ENDPOINTS)
def test_every_endpoint_of_the_document_is_a_route(open_site: Site, name: str) -> None:
    path = urlsplit(document(open_site)[name]).path

    answers = {method: ask(open_site, method, path).status for method in ("GET", "POST")}

    assert 404 not in answers.values()
    assert 500 not in answers.values()
    assert any(status != 405 for status in answers.values())


def test_every_machine_route_is_in_the_document() -> None:
    machines = {
        route.name
        for route in ROUTES
        if isinstance(route.endpoint, Endpoint) and route.endpoint._shape is as_oauth
    }
    unlisted = {
        name
        for name in machines
        if name.startswith(("health.", "forward_auth."))
        or ".well-known" in _path(name)
        or "{" in _path(name)
    }

    assert machines - unlisted <= set(METADATA_ENDPOINTS.values())


def _path(name: str) -> str:
    return next(route.path for route in ROUTES if route.name == name)


def test_the_grants_of_the_document_are_those_of_the_endpoint(site: Site) -> None:
    grants = document(site)["grant_types_supported"]
    party = RelyingParty(site, make_client(site, "service"))

    answers = {
        grant: party.token(grant_type=grant).json().get("error")
        for grant in (*grants, "implicit", "urn:ietf:params:oauth:grant-type:device_code", "x")
    }

    assert all(answers[grant] != "unsupported_grant_type" for grant in grants)
    assert {answers[grant] for grant in answers.keys() - set(grants)} == {"unsupported_grant_type"}


def test_the_claims_of_the_document_are_a_superset_of_what_is_told(site: Site) -> None:
    supported = set(document(site)["claims_supported"])

    assert {"sub", "name", "preferred_username", "email", "email_verified"} <= supported
    assert {"iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"} <= supported


FORGED: list[tuple[tuple[str, str], ...]] = [
    (("host", "localhost:8000"),),
    (("host", "id.example.com"), ("x-forwarded-host", "evil.example.org")),
    (("host", "id.example.com"), ("forwarded", "host=evil.example.org;proto=http")),
    (("host", "id.example.com"), ("x-forwarded-proto", "http"), ("x-forwarded-port", "80")),
    (("host", "127.0.0.1"), ("x-original-url", "/evil"), ("x-rewrite-url", "/evil")),
    (),
]


@pytest.mark.parametrize("headers", FORGED)
def test_no_header_changes_a_link_or_the_issuer(
    site: Site, headers: tuple[tuple[str, str], ...]
) -> None:
    party = RelyingParty(site, make_client(site))
    plain = (("host", "id.example.com"),)

    for target in (*ADDRESSES, "/login", "/sign-up", "/password-reset", "/nothing", "/jwks.json"):
        honest, forged = (ask(site, "GET", target, headers=sent) for sent in (plain, headers))
        assert forged.status == honest.status
        assert len(forged.body) == len(honest.body)
        assert "evil" not in forged.text
    error = ask(site, "GET", party.url(prompt="none"), headers=headers)
    login = ask(site, "GET", party.url(), headers=headers)
    assert "iss=https%3A%2F%2Fid.example.com&" in f"{error.header('location')}&"
    assert (login.header("location") or "").startswith("/login?request_id=")
