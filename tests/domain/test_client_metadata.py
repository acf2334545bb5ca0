"""What may be registered of a client, whoever registers it."""

import dataclasses
from typing import Any

import pytest

from oidc_server.domain import client_metadata
from oidc_server.domain.client_metadata import ClientMetadata, InvalidClientMetadataError

CALLBACK = ("https://app.example.net/cb",)


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"client_name": "a\nb"}, "client_name"),
        ({"grant_types": ("implicit",)}, "grant_types"),
        ({"scopes": ('a"b',)}, "scope"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"jwks": {"keys": []}, "jwks_uri": "https://app.example.net/jwks"}, "jwks"),
        ({"id_token_encrypted_response_alg": "ECDH-ES"}, "jwks"),
        (
            {
                "token_endpoint_auth_method": "client_secret_jwt",
                "token_endpoint_auth_signing_alg": "ES256",
            },
            "token_endpoint_auth_signing_alg",
        ),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"userinfo_signed_response_alg": "HS256"}, "userinfo_signed_response_alg"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
        (
            {
                "id_token_encrypted_response_alg": "RSA1_5",
                "jwks_uri": "https://app.example.net/jwks",
            },
            "id_token_encrypted_response_alg",
        ),
        ({"id_token_encrypted_response_enc": "A256GCM"}, "id_token_encrypted_response_enc"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
        ({"policy_uri": "http://app.example.net/"}, "policy_uri"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
        ({"request_uris": ("https://a@app.example.net/r",)}, "request_uris"),
        ({"backchannel_logout_uri": "https://app.example.net/#x"}, "backchannel_logout_uri"),
        ({"frontchannel_logout_uri": "https://other.example.net/"}, "frontchannel_logout_uri"),
        ({"subject_type": "private"}, "subject_type"),
        (
            {
                "subject_type": "pairwise",
                "redirect_uris": ("https://a.example.net/", "https://b.example.net/"),
            },
            "sector_identifier_uri",
        ),
        ({"default_max_age": -1}, "default_max_age"),
        ({"contacts": ("a@example.net",) * 51}, "contacts"),
        ({"redirect_uris": ("https://app.example.net/" + "a" * 2000,)}, "longer than"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_by_its_name(choices, field):
    choices = {"client_name": "Ledger", "redirect_uris": CALLBACK, **choices}

    with pytest.raises(InvalidClientMetadataError, match=field):
        client_metadata.for_type("web", **choices)


@pytest.mark.parametrize(
    "negotiated",
    [
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"require_pushed_authorization_requests": False},
        {"dpop_bound_access_tokens": False},
        {"id_token_signed_response_alg": "RS256"},
        {"require_pkce": False},
        {"grant_types": ("authorization_code", "password")},
    ],
)
def test_fapi_2_security_profile_5_3_leaves_a_client_no_choice(negotiated):
    choices: dict[str, Any] = {
        "client_name": "Bank",
        "redirect_uris": CALLBACK,
        "profile": "fapi2",
        "jwks_uri": "https://app.example.net/jwks",
    }
    assert client_metadata.for_type("web", **choices).dpop_bound_access_tokens

    with pytest.raises(InvalidClientMetadataError, match=next(iter(negotiated))):
        client_metadata.for_type("web", **choices, **negotiated)


def test_who_may_choose_a_field_is_said_of_every_field():
    """In neither table nobody can choose it; in the wrong one strangers can."""
    names = {field.name for field in dataclasses.fields(ClientMetadata)} - {"scopes"}
    others = {"scope", "application_type", "response_types"}

    assert names == (client_metadata.MEMBERS - others) | client_metadata.OPERATORS_FIELDS.keys()
    assert not client_metadata.MEMBERS & client_metadata.OPERATORS_FIELDS.keys()


def test_metadata_survive_the_database_and_fields_of_a_later_version():
    metadata = client_metadata.for_type(
        "web",
        client_name="Ledger",
        redirect_uris=list(CALLBACK),
        default_acr_values=["urn:a"],
        contacts=["a@example.net"],
    )

    document = metadata.to_document() | {"field_of_tomorrow": 1}

    assert ClientMetadata.from_document(document) == metadata
    assert "logo_uri" not in document
