"""The sample app checks what a good app checks. The server it talks to lies on demand."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from oidc_server.dev import relying_party
from oidc_server.dev.relying_party import Attempt, Registration, Session, SignInError
from oidc_server.security.jose import SigningKey, half_hash

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ISSUER = "https://id.example.com"
APP = Registration(ISSUER, "the app", "s:cret", "https://app.example.com/callback")
ATTEMPT = Attempt(state="state", nonce="nonce", code_verifier="verifier")
KEY = SigningKey.generate("ES256")


@dataclass
class FakeServer:
    """Answers as a provider would, but for what a test changes."""

    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=lambda: {"sub": "ada", "name": "Ada"})
    signed_by: SigningKey = KEY
    token_error: httpx2.Response | None = None
    asked: list[httpx2.Request] = field(default_factory=list)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        match request.url.path:
            case "/.well-known/openid-configuration":
                return httpx2.Response(
                    200,
                    json={
                        "token_endpoint": f"{ISSUER}/token",
                        "jwks_uri": f"{ISSUER}/jwks.json",
                        "userinfo_endpoint": f"{ISSUER}/userinfo",
                    },
                )
            case "/token":
                return self.token_error or httpx2.Response(200, json=self.tokens())
            case "/jwks.json":
                return httpx2.Response(200, json={"keys": [KEY.public_jwk()]})
        return httpx2.Response(200, json=self.userinfo)

    def tokens(self) -> dict[str, Any]:
        access_token = self.signed_by.sign({"sub": "ada", "scope": "openid"}, typ="at+jwt")
        claims = {
            "iss": ISSUER,
            "sub": "ada",
            "aud": "the app",
            "nonce": "nonce",
            "iat": int(NOW.timestamp()),
            "exp": int(NOW.timestamp()) + 60,
            "at_hash": half_hash("ES256", access_token),
        }
        return {
            "id_token": self.signed_by.sign(claims | self.claims),
            "access_token": access_token,
            "token_type": "Bearer",
        }

    def redeem(self) -> Session:
        async def redeem() -> Session:
            async with httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer)) as http:
                return await relying_party.redeem(http, APP, ATTEMPT, "the code", NOW)

        return asyncio.run(redeem())


def test_a_code_becomes_a_session_that_shows_everything_the_server_said():
    server = FakeServer()

    session = server.redeem()

    assert session.id_token["claims"]["sub"] == "ada"
    assert session.id_token["header"]["kid"] == KEY.kid
    assert session.access_token["header"]["typ"] == "at+jwt"
    assert session.access_token["claims"] == {"sub": "ada", "scope": "openid"}
    assert session.userinfo == {"sub": "ada", "name": "Ada"}
    assert session.token_response == {"token_type": "Bearer"}


def test_the_code_is_redeemed_with_the_verifier_and_the_secret():
    server = FakeServer()

    server.redeem()

    request = next(request for request in server.asked if request.url.path == "/token")
    sent = dict(httpx2.QueryParams(request.content.decode()))
    assert sent == {
        "grant_type": "authorization_code",
        "code": "the code",
        "redirect_uri": APP.redirect_uri,
        "code_verifier": "verifier",
    }
    assert request.headers["authorization"] == "Basic dGhlK2FwcDpzJTNBY3JldA=="


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example.com"},
        {"aud": "another app"},
        {"aud": ["the app", "another app"]},
        {"nonce": "another nonce"},
        {"nonce": None},
        {"exp": int(NOW.timestamp()) - 60},
        {"at_hash": "of another token"},
    ],
)
def test_an_id_token_that_does_not_belong_to_this_sign_in_is_refused(claims):
    with pytest.raises(SignInError) as caught:
        FakeServer(claims=claims).redeem()

    assert caught.value.error == "invalid_id_token"


def test_an_id_token_that_the_published_keys_did_not_sign_is_refused():
    with pytest.raises(SignInError) as caught:
        FakeServer(signed_by=SigningKey.generate("ES256")).redeem()

    assert caught.value.error == "invalid_id_token"


def test_userinfo_about_somebody_else_is_refused():
    with pytest.raises(SignInError) as caught:
        FakeServer(userinfo={"sub": "bob"}).redeem()

    assert caught.value.error == "invalid_userinfo"


@pytest.mark.parametrize(
    ("answer", "error", "description"),
    [
        (
            httpx2.Response(400, json={"error": "invalid_grant", "error_description": "Spent."}),
            "invalid_grant",
            "Spent.",
        ),
        (httpx2.Response(502, text="Bad gateway"), "invalid_response", None),
        (httpx2.Response(200, json=[]), "invalid_response", None),
        (httpx2.Response(503, json={}), "status 503", None),
    ],
)
def test_what_the_server_refuses_is_told(answer, error, description):
    with pytest.raises(SignInError) as caught:
        FakeServer(token_error=answer).redeem()

    assert caught.value.error == error
    assert description is None or caught.value.description == description


def test_a_server_that_cannot_be_reached_is_told():
    async def redeem() -> None:
        async with httpx2.AsyncClient(trust_env=False) as http:
            app = Registration("http://127.0.0.1:1", "", "", "")
            await relying_party.redeem(http, app, ATTEMPT, "", NOW)

    with pytest.raises(SignInError, match=r"server_unreachable: http://127\.0\.0\.1:1/"):
        asyncio.run(redeem())


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ({"code": "c", "iss": ISSUER}, "invalid_state"),
        ({"code": "c", "iss": ISSUER, "state": "another"}, "invalid_state"),
        ({"code": "c", "iss": ISSUER, "state": "ä"}, "invalid_state"),
        ({"code": "c", "state": "state"}, "invalid_issuer"),
        ({"code": "c", "state": "state", "iss": "https://evil.example.com"}, "invalid_issuer"),
        ({"error": "access_denied", "state": "state", "iss": ISSUER}, "access_denied"),
    ],
)
def test_an_answer_that_is_not_meant_for_this_sign_in_is_refused(response, error):
    with pytest.raises(SignInError) as caught:
        relying_party.read_response(APP, ATTEMPT, response)

    assert caught.value.error == error


def test_every_attempt_has_values_of_its_own():
    first, second = Attempt.begin(), Attempt.begin()

    values = {first.state, first.nonce, first.code_verifier}
    values |= {second.state, second.nonce, second.code_verifier}

    assert len(values) == 6
    assert all(len(value) >= 43 for value in values)
