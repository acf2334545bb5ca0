"""RFC 7591 and OpenID Connect Registration 1.0: how a client makes itself known."""

from collections.abc import Callable
from typing import Any

import pytest

from oidc_server.domain import clients
from tests.browser import Browser
from tests.client_registration.registrations import (
    REDIRECT_URI,
    app_of,
    register,
    registered,
    sent,
)
from tests.factories import make_user
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import row_counts

INTERNAL = "https://169.254.169.254/latest"
"""An address that answers to machines inside only."""


def test_3_2_1_the_answer_tells_everything_registered_and_the_defaults(open_site: Site) -> None:
    answer = register(open_site, contacts=["ops@example.net"], unknown_member={"a": [1]})

    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    found = answer.json()
    secrets = {
        name: found.pop(name)
        for name in ("client_id", "client_secret", "registration_access_token")
    }
    assert all(len(secret) >= 22 for secret in secrets.values())
    assert found == {
        "application_type": "web",
        "backchannel_logout_session_required": False,
        "client_id_issued_at": int(open_site.clock.now.timestamp()),
        "client_name": "Ledger",
        "client_secret_expires_at": 0,
        "contacts": ["ops@example.net"],
        "dpop_bound_access_tokens": False,
        "frontchannel_logout_session_required": False,
        "grant_types": ["authorization_code"],
        "id_token_signed_response_alg": "RS256",
        "redirect_uris": [REDIRECT_URI],
        "registration_client_uri": f"{open_site.issuer}/register/{secrets['client_id']}",
        "require_auth_time": False,
        "require_pushed_authorization_requests": False,
        "require_signed_request_object": False,
        "response_types": ["code"],
        "scope": found["scope"],
        "subject_type": "public",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    assert {"openid", "profile", "email", "offline_access"} <= set(found["scope"].split())


def test_a_registered_client_signs_a_person_in_and_is_asked_once(open_site: Site) -> None:
    client = registered(open_site, grant_types=["authorization_code", "refresh_token"])
    party = RelyingParty(open_site, app_of(client))
    browser, person = Browser(open_site.browser(), open_site.issuer), make_user(open_site)

    tokens = party.redeem(party.authorize(browser, person).code).json()
    silent = party.read(browser.go(party.url(prompt="none")))

    assert party.refresh(tokens["refresh_token"]).status_code == 200
    assert silent.error is None


def test_a_public_client_that_registered_itself_is_asked_about_every_time(open_site: Site) -> None:
    """RFC 8252 §8.6: anybody can come with its client_id."""
    client = registered(open_site, token_endpoint_auth_method="none")
    party = RelyingParty(open_site, app_of(client))
    browser, person = Browser(open_site.browser(), open_site.issuer), make_user(open_site)
    party.authorize(browser, person)

    silent = party.read(browser.go(party.url(prompt="none")))

    assert "client_secret" not in client
    assert "client_secret_expires_at" not in client
    assert silent.error == "consent_required"


@pytest.mark.parametrize(
    ("members", "client_type", "expected"),
    [
        ({}, "web", {"token_endpoint_auth_method": "client_secret_basic"}),
        ({"token_endpoint_auth_method": "none"}, "spa", {"application_type": "web"}),
        (
            {
                "application_type": "native",
                "redirect_uris": ["http://127.0.0.1/cb", "net.example.app:/cb"],
                "token_endpoint_auth_method": "none",
            },
            "native",
            {"application_type": "native"},
        ),
        (
            {"application_type": "native", "redirect_uris": ["net.example.app:/cb"]},
            "native",
            {"token_endpoint_auth_method": "client_secret_basic"},
        ),
        (
            {"application_type": "native", "redirect_uris": ["http://localhost:3118/callback"]},
            "native",
            {"redirect_uris": ["http://localhost:3118/callback"]},
        ),
        (
            {"client_name": None},
            "web",
            {"client_name": "app.example.net"},
        ),
        (
            {"client_name": None, "client_name#de": "Buch", "grant_types": None, "scope": "openid"},
            "web",
            {"scope": "openid", "grant_types": ["authorization_code"]},
        ),
        ({"response_types": ["code"], "grant_types": ["authorization_code"]}, "web", {}),
        ({"scope": "openid admin credits:write"}, "web", {"scope": "openid"}),
        ({"logo_uri": f"{INTERNAL}.png", "policy_uri": INTERNAL}, "web", {"policy_uri": INTERNAL}),
    ],
)
def test_openid_registration_2_what_is_left_out_has_a_default(
    open_site: Site, members: dict[str, Any], client_type: str, expected: dict[str, Any]
) -> None:
    client = registered(open_site, **members)

    with open_site.db() as db:
        stored = clients.load(db, client["client_id"])
    assert stored.type == client_type
    assert {name: client[name] for name in expected} == expected
    assert not any("#" in name for name in client)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"redirect_uris": None}, "redirect_uris"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": REDIRECT_URI}, "redirect_uris"),
        ({"redirect_uris": {"0": REDIRECT_URI}}, "redirect_uris"),
        ({"redirect_uris": [[REDIRECT_URI]]}, "redirect_uris"),
        ({"redirect_uris": [REDIRECT_URI, None]}, "redirect_uris"),
        ({"redirect_uris": [REDIRECT_URI] * 2}, "redirect_uris"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(51)]}, "redirect_uris"),
        ({"redirect_uris": [f"{REDIRECT_URI}#top"]}, "fragment"),
        ({"redirect_uris": [REDIRECT_URI, "http://app.example.net/cb"]}, "plain http"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "javascript"),
        ({"redirect_uris": ["JaVaScRiPt:alert(1)"]}, "lower case"),
        ({"redirect_uris": ["data:text/html,x"]}, "data"),
        ({"redirect_uris": ["net.example.app:/cb"]}, "native"),
        ({"redirect_uris": ["https://*.example.net/cb"]}, "wildcards"),
        ({"application_type": "native", "redirect_uris": ["myapp:/cb"]}, "dot"),
        ({"application_type": "native", "redirect_uris": ["//app.example.net/cb"]}, "no scheme"),
        ({"application_type": "native", "redirect_uris": ["app.example.net/cb"]}, "no scheme"),
        ({"application_type": "native", "redirect_uris": ["../app.net:80/cb"]}, "no scheme"),
        ({"redirect_uris": ["/cb"]}, "no scheme"),
        ({"application_type": "native", "redirect_uris": ["http://10.0.0.1/cb"]}, "plain http"),
    ],
)
def test_3_2_2_a_redirect_uri_that_cannot_be_is_named_so(
    open_site: Site, members: dict[str, Any], field: str
) -> None:
    answer = register(open_site, **members)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_redirect_uri"
    assert field in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"client_name": 7}, "client_name"),
        ({"client_name": ["Ledger"]}, "client_name"),
        ({"client_name": "a" * 10_000}, "client_name"),
        ({"client_name": "evil\u202egpj.exe"}, "client_name"),
        ({"client_name": "Pay\u200bPal"}, "client_name"),
        ({"client_name": "Pay\u3164Pal"}, "client_name"),
        ({"client_name": "Zalgo" + "\u0301" * 20}, "client_name"),
        ({"client_name": "the real YOUR id"}, "client_name"),
        ({"grant_types": "authorization_code"}, "grant_types"),
        ({"grant_types": []}, "grant_types"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"grant_types": ["client_credentials"], "redirect_uris": None}, "grant_types"),
        (
            {"grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"]},
            "grant_types",
        ),
        (
            {
                "grant_types": [
                    "authorization_code",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                ]
            },
            "grant_types",
        ),
        ({"grant_types": ["authorization_code", "implicit"]}, "implicit"),
        ({"response_types": ["token"]}, "response_types"),
        ({"response_types": ["code", "code id_token"]}, "response_types"),
        ({"response_types": "code"}, "response_types"),
        ({"response_types": []}, "response_types"),
        ({"grant_types": ["refresh_token"], "response_types": ["code"]}, "response_types"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": True}, "token_endpoint_auth_method"),
        (
            {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"},
            "grant_types",
        ),
        ({"application_type": "desktop"}, "application_type"),
        ({"application_type": 1}, "application_type"),
        ({"scope": ["openid"]}, "scope"),
        ({"scope": "admin"}, "scope"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"userinfo_signed_response_alg": "none"}, "userinfo_signed_response_alg"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
        ({"default_max_age": "60"}, "default_max_age"),
        ({"default_max_age": True}, "default_max_age"),
        ({"default_max_age": 1.5}, "default_max_age"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"require_auth_time": "true"}, "require_auth_time"),
        ({"contacts": "ops@example.net"}, "contacts"),
        ({"contacts": ["a@example.net"] * 51}, "contacts"),
        ({"jwks": "{}"}, "jwks"),
        ({"jwks": {"keys": []}, "jwks_uri": "https://app.example.net/jwks"}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"}]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}}, "jwks"),
        (
            {"jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "kid": "1"}] * 2}},
            "kid",
        ),
        ({"subject_type": "private"}, "subject_type"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
        ({"policy_uri": "data:text/html,x"}, "policy_uri"),
        ({"tos_uri": "http://app.example.net/"}, "tos_uri"),
        ({"client_uri": "JAVASCRIPT:alert(1)"}, "client_uri"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
        ({"backchannel_logout_uri": "gopher://app.example.net/"}, "backchannel_logout_uri"),
        ({"request_uris": ["ftp://app.example.net/r"]}, "request_uris"),
        ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "javascript"),
        ({"post_logout_redirect_uris": REDIRECT_URI}, "post_logout_redirect_uris"),
    ],
)
def test_3_2_2_a_member_that_cannot_be_is_refused_by_its_name(
    open_site: Site, members: dict[str, Any], field: str
) -> None:
    answer = register(open_site, **members)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"
    assert field in answer.json()["error_description"]
    assert row_counts(open_site)["clients"] == 0


def test_2_3_a_software_statement_is_refused_whoever_signed_it(open_site: Site) -> None:
    answer = register(open_site, software_statement="eyJhbGciOiJub25lIn0.e30.")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_software_statement"


def test_5_nobody_grants_anything_to_himself(open_site: Site) -> None:
    chosen = {
        "client_id": "admin",
        "client_secret": "chosen",
        "skip_consent": True,
        "may_introspect": True,
        "require_pkce": False,
        "profile": "fapi2",
        "trusted": True,
        "self_registered": False,
        "registration_access_token": "chosen",
        "client_secret_expires_at": 7,
    }

    client = registered(open_site, **chosen)

    with open_site.db() as db:
        stored = clients.load(db, client["client_id"])
    assert client["client_id"] != "admin"
    assert "chosen" not in client.values()
    assert client["client_secret_expires_at"] == 0
    assert not {"skip_consent", "may_introspect", "trusted", "profile"} & client.keys()
    assert not stored.metadata.skip_consent
    assert not stored.metadata.may_introspect
    assert stored.metadata.require_pkce
    assert stored.metadata.profile is None
    assert stored.self_registered


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("", "application/json", 400),
        ("[]", "application/json", 400),
        ("null", "application/json", 400),
        ('"text"', "application/json", 400),
        ("{", "application/json", 400),
        ('{"client_name": NaN}', "application/json", 400),
        ('{"client_name": "a", "client_name": "b"}', "application/json", 400),
        ('{"client_name": "a\\u0000b"}', "application/json", 400),
        ('{"jwks": {"keys": [{"a\\u0000": 1}]}}', "application/json", 400),
        ('{"client_name": "\\ud800"}', "application/json", 400),
        (b'{"client_name": "\xff"}', "application/json", 400),
        ('{"jwks": ' + '{"a":' * 5000 + "1" + "}" * 5000 + "}", "application/json", 400),
        ("client_name=Ledger", "application/x-www-form-urlencoded", 415),
        ("{}", "text/plain", 415),
        ("{}", "application/json; charset=utf-16", 415),
        ('{"client_name": "' + "a" * 70_000 + '"}', "application/json", 413),
    ],
    ids=range(16),
)
def test_3_1_what_is_no_json_object_is_refused_unread(
    open_site: Site, body: str | bytes, content_type: str, status: int
) -> None:
    answer = sent(open_site, body, content_type)

    assert answer.status_code == status
    assert answer.json()["error"] == "invalid_request"
    assert row_counts(open_site)["clients"] == 0


def test_no_other_method_is_answered_and_no_unknown_origin_is_let_in(open_site: Site) -> None:
    answers = [
        open_site.http.request(method, "/register", headers={"origin": "https://evil.example"})
        for method in ("GET", "PUT", "DELETE", "POST", "OPTIONS")
    ]

    assert [answer.status_code for answer in answers] == [405, 405, 405, 415, 204]
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)


def test_scripts_of_a_listed_origin_register_what_they_are_part_of(
    start_site: Callable[..., Site],
) -> None:
    """As MCP clients that run in a browser: nothing knows their origin before."""
    origin = "http://localhost:6274"
    site = start_site(registration="open", cors_origins=(origin,))
    asking = {"origin": origin, "access-control-request-headers": "content-type"}

    asked = site.http.options("/register", headers=asking)
    members = {"redirect_uris": [f"{origin}/callback"], "token_endpoint_auth_method": "none"}
    made = site.http.post("/register", json=members, headers={"origin": origin})

    assert "content-type" in asked.headers["access-control-allow-headers"]
    assert made.status_code == 201
    for answer in (asked, made):
        assert answer.headers["access-control-allow-origin"] == origin


def test_core_8_1_a_device_cannot_claim_the_sector_of_somebody_else(open_site: Site) -> None:
    """It would learn under which `sub` others know a person, and never shows that it is there."""
    answer = register(
        open_site,
        subject_type="pairwise",
        grant_types=["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert "subject_type" in answer.json()["error_description"]
    assert row_counts(open_site)["clients"] == 0


def test_html_in_a_name_is_text_on_every_page(open_site: Site) -> None:
    client = registered(
        open_site,
        client_name="<img src=x onerror=alert(1)>",
        logo_uri="https://logo.example.net/l.png",
        policy_uri="https://app.example.net/privacy",
        tos_uri="https://app.example.net/terms",
    )
    party = RelyingParty(open_site, app_of(client))
    browser, person = Browser(open_site.browser(), open_site.issuer), make_user(open_site)

    login = browser.go(party.url())
    consent = browser.log_in(login, person)

    for page in (login, consent):
        assert "<img" not in page.text
        assert "&lt;img" in page.text
        assert "logo.example.net" not in page.text
        assert 'href="https://app.example.net/privacy"' in page.text
        assert 'href="https://app.example.net/terms"' in page.text
        assert "app.example.net" in page.text
