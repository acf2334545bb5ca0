"""What an app does to sign somebody in (OpenID Connect Core §3.1), over HTTP like any other app."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from oidc_server.security import base64url
from oidc_server.security.jose import VerificationKeys, half_hash, parse_json_object

if TYPE_CHECKING:
    import httpx2

SCOPE = "openid profile email"
_LEEWAY = timedelta(seconds=5)

Claims = dict[str, Any]


class SignInError(Exception):
    """The sign-in failed; `error` is the server's code, or ours if its answer does not convince."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True)
class Registration:
    """What the app was given when it was registered, and where it is."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


@dataclass(frozen=True)
class Attempt:
    """What the app remembers while the browser is away; it is bound to that browser."""

    state: str
    nonce: str
    code_verifier: str

    @classmethod
    def begin(cls) -> "Attempt":
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    def authorization_request(self, app: Registration) -> str:
        """The query that goes to the authorization endpoint (Core §3.1.2.1, RFC 7636 §4.3)."""
        return urlencode(
            {
                "response_type": "code",
                "client_id": app.client_id,
                "redirect_uri": app.redirect_uri,
                "scope": SCOPE,
                "state": self.state,
                "nonce": self.nonce,
                "code_challenge": base64url.sha256(self.code_verifier.encode()),
                "code_challenge_method": "S256",
            }
        )


@dataclass(frozen=True)
class Session:
    """What the app knows of who signed in. `raw_id_token` is for signing out."""

    id_token: dict[str, Claims]
    access_token: dict[str, Claims]
    userinfo: Claims
    token_response: Claims
    raw_id_token: str


def read_response(app: Registration, attempt: Attempt, response: dict[str, str]) -> str:
    """The code in an authorization response (RFC 6749 §4.1.2, RFC 9207 §2.4), or `SignInError`."""
    if not secrets.compare_digest(response.get("state", "").encode(), attempt.state.encode()):
        raise SignInError("invalid_state", "The answer belongs to another sign-in.")
    if response.get("iss") != app.issuer:
        raise SignInError("invalid_issuer", "The answer comes from another server.")
    if "error" in response:
        raise SignInError(response["error"], response.get("error_description"))
    return response.get("code", "")


async def redeem(
    http: "httpx2.AsyncClient", app: Registration, attempt: Attempt, code: str, now: datetime
) -> Session:
    """Trade the code for tokens, check the ID Token, ask for userinfo; raises `SignInError`."""
    metadata = await _json(http.get(f"{app.issuer}/.well-known/openid-configuration"))
    tokens = await _json(
        http.post(
            metadata["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": app.redirect_uri,
                "code_verifier": attempt.code_verifier,
            },
            # RFC 6749 §2.3.1: both are form-encoded before they become Basic.
            auth=(quote_plus(app.client_id), quote_plus(app.client_secret)),
        )
    )
    keys = VerificationKeys((await _json(http.get(metadata["jwks_uri"])))["keys"])
    claims = _check_id_token(keys, app, attempt, tokens, now)
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    userinfo = await _json(http.get(metadata["userinfo_endpoint"], headers=bearer))
    if userinfo.get("sub") != claims["sub"]:
        raise SignInError("invalid_userinfo", "It is about somebody else (Core §5.3.2).")
    return Session(
        id_token={"header": _open(tokens["id_token"], 0), "claims": claims},
        access_token={
            "header": _open(tokens["access_token"], 0),
            "claims": _open(tokens["access_token"], 1),
        },
        userinfo=userinfo,
        token_response={
            name: tokens[name] for name in tokens if name not in ("id_token", "access_token")
        },
        raw_id_token=tokens["id_token"],
    )


def _check_id_token(
    keys: VerificationKeys, app: Registration, attempt: Attempt, tokens: Claims, now: datetime
) -> Claims:
    """Core §3.1.3.7."""
    claims = keys.verify(
        tokens.get("id_token", ""), typ="JWT", issuer=app.issuer, now=now, leeway=_LEEWAY
    )
    if claims is None:
        raise SignInError("invalid_id_token", "Its signature, issuer or time is wrong.")
    if claims.get("aud") not in (app.client_id, [app.client_id]):
        raise SignInError("invalid_id_token", "It is meant for another app.")
    if claims.get("nonce") != attempt.nonce:
        raise SignInError("invalid_id_token", "It belongs to another sign-in.")
    alg = _open(tokens["id_token"], 0)["alg"]
    if claims.get("at_hash", "") != half_hash(alg, tokens["access_token"]):
        raise SignInError("invalid_id_token", "It came with another access token.")
    return claims


async def _json(asked: Any) -> Claims:
    """The JSON object in the answer to a request; raises `SignInError`."""
    import httpx2  # noqa: PLC0415 - loaded where it is used, as in `app`

    try:
        response: httpx2.Response = await asked
        document: object = response.json()
    except httpx2.HTTPError as error:
        address = str(error.request.url)
        raise SignInError("server_unreachable", f"{address}: {error}") from error
    except ValueError as error:
        raise SignInError("invalid_response", "The server did not answer in JSON.") from error
    if not isinstance(document, dict):
        raise SignInError("invalid_response", "The server did not answer with a JSON object.")
    if response.is_error:
        code = document.get("error", f"status {response.status_code}")
        raise SignInError(str(code), document.get("error_description"))
    return document


def _open(token: str, part: int) -> Claims:
    """Look into a part of a JWS; what is opaque has nothing to show."""
    try:
        return parse_json_object(base64url.decode(token.split(".")[part]))
    except (ValueError, IndexError):
        return {}
