"""RFC 9728: our own resource says who gives tokens for it, and a refusal says where it says so."""

import re

from oidc_server.oauth2.vocabulary import API_SCOPES
from tests.factories import make_client, make_resource
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import ask

ADDRESS = "/.well-known/oauth-protected-resource"


def test_the_document_describes_this_server_as_a_resource(site: Site) -> None:
    """§2, §3.2."""
    answer = site.http.get(ADDRESS, headers={"origin": "null"})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    found = answer.json()
    assert found["resource"] == site.issuer
    assert found["authorization_servers"] == [site.issuer]
    assert found["bearer_methods_supported"] == ["header"]
    assert found["dpop_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA", "Ed25519"]
    assert found["dpop_bound_access_tokens_required"] is False
    of_userinfo = {"openid", "profile", "email", "address", "phone", "roles"}
    assert of_userinfo | API_SCOPES == set(found["scopes_supported"])
    assert found["resource_name"] == site.runtime.settings.brand_name


def test_its_authorization_server_and_keys_are_those_of_discovery(site: Site) -> None:
    found = site.http.get(ADDRESS).json()

    metadata = site.http.get("/.well-known/oauth-authorization-server").json()

    assert found["authorization_servers"] == [metadata["issuer"]]
    assert found["jwks_uri"] == metadata["jwks_uri"]
    assert set(found["scopes_supported"]) - API_SCOPES <= set(metadata["scopes_supported"])


def test_every_refusal_of_userinfo_says_where_the_document_is(site: Site) -> None:
    """§5.1."""
    party = RelyingParty(site, make_client(site, "service", scopes=("a",)))
    without_openid = party.token(grant_type="client_credentials").json()["access_token"]

    answers = [
        ask(site, "GET", "/userinfo", headers=headers)
        for headers in (
            (),
            (("authorization", "Bearer x"),),
            (("authorization", f"Bearer {without_openid}"),),
        )
    ]

    assert [answer.status for answer in answers] == [401, 401, 403]
    for answer in answers:
        challenge = answer.header("www-authenticate") or ""
        address = re.search(r'resource_metadata="([^"]+)"', challenge)
        assert address is not None
        assert address[1] == site.issuer + ADDRESS


def test_every_refusal_of_the_api_says_where_the_document_is(site: Site) -> None:
    """§5.1."""
    party = RelyingParty(site, make_client(site, "service", scopes=("a",)))
    narrow = party.token(grant_type="client_credentials").json()["access_token"]

    answers = [
        site.http.get("/api/v1/admin/users", headers=headers)
        for headers in ({}, {"authorization": "Bearer x"}, {"authorization": f"Bearer {narrow}"})
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 403]
    wanted = f'resource_metadata="{site.issuer}{ADDRESS}"'
    assert all(wanted in answer.headers["www-authenticate"] for answer in answers)


def test_a_resource_server_below_the_issuer_has_a_document_of_its_own(site: Site) -> None:
    """§2, §3.1: the path of the resource comes after the well-known one."""
    stock = make_resource(site, f"{site.issuer}/stock/v1", "stock:read stock:write")
    make_resource(site, "https://api.example.net/stock", "elsewhere")

    answer = site.http.get(f"{ADDRESS}/stock/v1", headers={"origin": "null"})
    unknown = [site.http.get(f"{ADDRESS}/{path}") for path in ("stock", "stock/v1/", "", "%00")]

    assert answer.headers["access-control-allow-origin"] == "*"
    found = answer.json()
    assert found["resource"] == stock
    assert found["authorization_servers"] == [site.issuer]
    assert found["scopes_supported"] == ["stock:read", "stock:write"]
    assert "jwks_uri" not in found  # the keys of the resource itself, and it signs nothing
    assert {answer.status_code for answer in unknown} == {404}


def test_the_gateway_names_the_document_of_the_resource_that_it_guards(site: Site) -> None:
    """§5.1: ours would be for another resource, and a client must not use it (§3.3)."""
    below, elsewhere = f"{site.issuer}/stock", "https://api.example.net/stock"
    odd = f'{site.issuer}/"stock'
    headers = {
        "authorization": "Bearer x",
        "x-forwarded-method": "GET",
        "x-forwarded-uri": "/stock/apples",
    }

    told = {
        resource: site.http.get(
            "/forward-auth", params={"resource": resource} if resource else {}, headers=headers
        ).headers["www-authenticate"]
        for resource in ("", below, elsewhere, odd)
    }

    assert f'resource_metadata="{site.issuer}{ADDRESS}"' in told[""]
    assert f'resource_metadata="{site.issuer}{ADDRESS}/stock"' in told[below]
    assert "resource_metadata" not in told[elsewhere] + told[odd]


def test_a_client_that_fails_to_authenticate_is_not_sent_there(site: Site) -> None:
    answer = site.http.post(
        "/token", data={"grant_type": "client_credentials"}, auth=("nobody", "x")
    )

    assert "resource_metadata" not in answer.headers["www-authenticate"]
