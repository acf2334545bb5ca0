"""The Config plan: what the document of discovery has to say, and how."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance import checks
from tests.conformance.suite import Suite

REQUIRED = (
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "end_session_endpoint",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "scopes_supported",
    "claims_supported",
)
KNOWN = frozenset(
    {
        # RFC 8414 §2
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "registration_endpoint",
        "scopes_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "service_documentation",
        "ui_locales_supported",
        "op_policy_uri",
        "op_tos_uri",
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "code_challenge_methods_supported",
        # OpenID Connect Discovery §3
        "userinfo_endpoint",
        "acr_values_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "id_token_encryption_alg_values_supported",
        "id_token_encryption_enc_values_supported",
        "userinfo_signing_alg_values_supported",
        "userinfo_encryption_alg_values_supported",
        "userinfo_encryption_enc_values_supported",
        "request_object_signing_alg_values_supported",
        "request_object_encryption_alg_values_supported",
        "request_object_encryption_enc_values_supported",
        "display_values_supported",
        "claim_types_supported",
        "claims_supported",
        "claims_locales_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "require_request_uri_registration",
        # logout, and what came later
        "end_session_endpoint",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "prompt_values_supported",
        "device_authorization_endpoint",
        "pushed_authorization_request_endpoint",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "authorization_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
        "authorization_response_iss_parameter_supported",
        "introspection_signing_alg_values_supported",
        "introspection_encryption_alg_values_supported",
        "introspection_encryption_enc_values_supported",
        "authorization_details_types_supported",
        "protected_resources",
        "tls_client_certificate_bound_access_tokens",
        "mtls_endpoint_aliases",
    }
)


def values_in(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return [value]
    return [inner for item in value for inner in values_in(item)]


def test_the_document_stands_at_the_issuer_that_it_names(suite: Suite) -> None:
    """oidcc-discovery-endpoint-verification."""
    parts = urlsplit(suite.metadata["issuer"])

    assert suite.metadata["issuer"] == suite.issuer
    assert parts.scheme == "https"
    assert not parts.query
    assert not parts.fragment


def test_what_is_required_is_there_and_nothing_is_null_or_unheard_of(suite: Suite) -> None:
    """oidcc-discovery-endpoint-verification."""
    found = suite.metadata

    assert set(REQUIRED) <= found.keys()
    assert found.keys() <= KNOWN
    assert None not in values_in(found)
    assert "" not in values_in(found)


def test_every_endpoint_is_a_whole_address(suite: Suite) -> None:
    """oidcc-discovery-endpoint-verification."""
    endpoints = {
        name: value
        for name, value in suite.metadata.items()
        if name.endswith(("_endpoint", "_uri"))
    }

    assert len(endpoints) >= 6
    for name, value in endpoints.items():
        assert value.startswith("https://"), name
        assert urlsplit(value).hostname


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("response_types_supported", "code"),
        ("grant_types_supported", "authorization_code"),
        ("grant_types_supported", "refresh_token"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("request_object_signing_alg_values_supported", "RS256"),
        ("userinfo_signing_alg_values_supported", "RS256"),
        ("token_endpoint_auth_signing_alg_values_supported", "RS256"),
        ("scopes_supported", "openid"),
        ("response_modes_supported", "form_post"),
        ("code_challenge_methods_supported", "S256"),
        ("subject_types_supported", "public"),
    ],
)
def test_a_list_holds_what_a_plan_needs(suite: Suite, member: str, value: str) -> None:
    """oidcc-discovery-endpoint-verification, and the choice of modules in every plan."""
    assert value in suite.metadata[member]


def test_what_is_assumed_when_nothing_is_said_is_said(suite: Suite) -> None:
    """oidcc-discovery-endpoint-verification: `request_uri_parameter_supported` defaults to true."""
    for name in ("request_uri_parameter_supported", "request_parameter_supported"):
        assert type(suite.metadata[name]) is bool


def test_languages_are_written_as_they_are_registered(suite: Suite) -> None:
    """oidcc-discovery-endpoint-verification: BCP 47, in its letter case."""
    for tag in suite.metadata["ui_locales_supported"]:
        language, _, region = tag.partition("-")
        assert language == language.lower()
        assert region == region.upper()
        assert len(language) in (2, 3)


def test_the_key_set_holds_public_keys_by_distinct_names(suite: Suite) -> None:
    """The set-up of every module."""
    keys = suite.keys()

    assert {"RSA", "EC"} <= {key.key_type for key in keys.values()}


def test_the_logout_plans_find_what_they_ask_for(suite: Suite) -> None:
    """oidcc-backchannel-logout-discovery-endpoint-verification,
    oidcc-frontchannel-logout-discovery-endpoint-verification."""
    for channel in ("backchannel", "frontchannel"):
        assert suite.metadata[f"{channel}_logout_supported"] is True
        assert suite.metadata[f"{channel}_logout_session_supported"] is True


def test_the_document_is_json_for_whoever_asks(suite: Suite) -> None:
    response = suite.http.get(
        f"{suite.issuer}/.well-known/openid-configuration", headers={"accept": "application/json"}
    )

    checks.of_json(response)
