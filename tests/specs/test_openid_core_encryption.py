"""OpenID Connect Core §2, §5.3.2, §10: in which form a client is told, as it registered."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import jwt
import orjson
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from oidc_server.domain import client_metadata, clients
from tests.browser import Browser
from tests.factories import make_client, make_user
from tests.relying_party import RelyingParty, signed_in
from tests.services.external_service import external_service, saying
from tests.site import Site
from tests.wire import row_counts

RSA = RSAKey.generate_key(2048, {"use": "enc", "kid": "rsa"})
EC = ECKey.generate_key("P-256", {"use": "enc", "kid": "ec"})
JWKS = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
ENCRYPTIONS = [
    ("RSA-OAEP", "A128CBC-HS256"),
    ("RSA-OAEP-256", "A256GCM"),
    ("ECDH-ES", "A128GCM"),
    ("ECDH-ES+A128KW", "A256CBC-HS512"),
    ("ECDH-ES+A256KW", "A128CBC-HS256"),
]


def opened(sealed: str, alg: str, enc: str) -> tuple[dict[str, Any], str]:
    key = RSA if alg.startswith("RSA") else EC
    found = jwe.decrypt_compact(sealed, key, algorithms=[alg, enc])
    assert (found.protected["alg"], found.protected["enc"]) == (alg, enc)
    assert found.protected["kid"] == key.kid
    assert found.plaintext is not None
    return dict(found.protected), found.plaintext.decode()


def verified(site: Site, party: RelyingParty, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header = jwt.get_unverified_header(token)
    keys = jwt.PyJWKSet.from_dict(site.http.get("/jwks.json").json())
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[header["kid"]].key,
        algorithms=[header["alg"]],
        audience=party.app.client_id,
        issuer=site.issuer,
        options={"verify_exp": False, "verify_iat": False},
    )
    return header, claims


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_an_id_token_is_signed_as_registered_and_says_how_somebody_signed_in(
    site: Site, alg: str
) -> None:
    """§2, §3.1.3.6."""
    party, _, person, tokens = signed_in(site, id_token_signed_response_alg=alg)

    header, claims = verified(site, party, tokens["id_token"])

    assert (header["alg"], header["typ"]) == (alg, "JWT")
    assert set(claims) == {
        "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
    }  # fmt: skip
    assert claims["sub"] == person.id
    hashed = hashlib.new("sha512" if alg == "EdDSA" else "sha256", tokens["access_token"].encode())
    half = hashed.digest()[: hashed.digest_size // 2]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


@pytest.mark.parametrize(("alg", "enc"), ENCRYPTIONS)
def test_an_id_token_is_encrypted_as_registered(site: Site, alg: str, enc: str) -> None:
    """§10.2: signed first, and the outer header says that a JWT is inside."""
    party, _, person, tokens = signed_in(
        site,
        jwks=JWKS,
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
    )

    for body in (tokens, party.refresh(tokens["refresh_token"]).json()):
        header, inner = opened(body["id_token"], alg, enc)
        assert header["cty"] == "JWT"
        assert verified(site, party, inner)[1]["sub"] == person.id


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_userinfo_is_signed_as_registered(site: Site, alg: str) -> None:
    """§5.3.2: with issuer and audience, and nothing of an ID Token."""
    party, _, person, tokens = signed_in(site, userinfo_signed_response_alg=alg)

    answer = party.userinfo(tokens["access_token"])

    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "no-store"
    header, claims = verified(site, party, answer.text)
    assert header["alg"] == alg
    assert claims["sub"] == person.id
    assert claims["email"] == person.email
    assert not {"nonce", "exp", "auth_time", "at_hash"} & set(claims)


def test_no_door_takes_signed_userinfo_for_an_id_token(site: Site) -> None:
    party, browser, _, tokens = signed_in(site, userinfo_signed_response_alg="RS256")
    answer = party.userinfo(tokens["access_token"]).text

    silent = party.read(browser.go(party.url(prompt="none", id_token_hint=answer)))

    assert silent.error == "invalid_request"
    assert party.userinfo(answer).status_code == 401
    assert site.http.get("/logout", params={"id_token_hint": answer}).status_code == 400


@pytest.mark.parametrize(("alg", "enc"), ENCRYPTIONS)
@pytest.mark.parametrize("signed", ["ES256", None])
def test_userinfo_is_encrypted_as_registered(
    site: Site, alg: str, enc: str, signed: str | None
) -> None:
    party, _, person, tokens = signed_in(
        site,
        jwks=JWKS,
        userinfo_signed_response_alg=signed,
        userinfo_encrypted_response_alg=alg,
        userinfo_encrypted_response_enc=enc,
    )

    answer = party.userinfo(tokens["access_token"])

    assert answer.headers["content-type"] == "application/jwt"
    header, inner = opened(answer.text, alg, enc)
    assert header.get("cty") == (None if signed is None else "JWT")
    claims = orjson.loads(inner) if signed is None else verified(site, party, inner)[1]
    assert claims["sub"] == person.id
    assert person.email not in answer.text


def test_a_refusal_is_json_for_every_client(site: Site) -> None:
    party, _, _, tokens = signed_in(site, userinfo_signed_response_alg="RS256")

    site.clock.advance(3600)
    answer = party.userinfo(tokens["access_token"])

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_a_change_of_the_registration_counts_at_once(site: Site) -> None:
    party, _, _, tokens = signed_in(site)
    assert party.userinfo(tokens["access_token"]).headers["content-type"] == "application/json"
    metadata = client_metadata.for_type(
        "web",
        client_name="Ledger",
        redirect_uris=(party.app.redirect_uri,),
        userinfo_signed_response_alg="ES256",
    )

    with site.db() as db:
        clients.change(db, party.app.client_id, metadata=metadata)

    assert party.userinfo(tokens["access_token"]).headers["content-type"] == "application/jwt"


def test_without_a_key_nothing_is_told_in_clear_and_the_code_is_not_lost(site: Site) -> None:
    app = make_client(
        site, jwks={"keys": [EC.as_dict(private=False)]}, id_token_encrypted_response_alg="RSA-OAEP"
    )
    party = RelyingParty(site, app)
    browser, person = Browser(site.browser(), site.issuer), make_user(site)
    code = party.authorize(browser, person).code
    before = row_counts(site)

    answers = [party.redeem(code) for _ in range(2)]

    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert "RSA-OAEP" in answer.json()["error_description"]
    assert row_counts(site) == before


def test_keys_that_are_published_are_fetched_and_encrypted_to(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(issuer="http://localhost:8000")
    with external_service(saying(orjson.dumps(JWKS))) as other:
        party, _, person, tokens = signed_in(
            site,
            jwks_uri=other.url("/keys"),
            id_token_encrypted_response_alg="ECDH-ES",
            userinfo_signed_response_alg="RS256",
            userinfo_encrypted_response_alg="RSA-OAEP-256",
        )
        answer = party.userinfo(tokens["access_token"])

    _, inner = opened(tokens["id_token"], "ECDH-ES", "A128CBC-HS256")
    assert verified(site, party, inner)[1]["sub"] == person.id
    _, told = opened(answer.text, "RSA-OAEP-256", "A128CBC-HS256")
    assert verified(site, party, told)[1]["email"] == person.email
    assert [path for _, path, *_ in other.asked] == ["/keys"]
