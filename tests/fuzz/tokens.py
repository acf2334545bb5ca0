"""Tokens that are not as they were signed, and tokens signed over what nobody should say."""

import base64
import hmac
import json
from typing import Any

from hypothesis import strategies as st

from oidc_server.security.jose import SigningKey
from tests.fuzz.food import SCALARS, json_values

ALGORITHMS = ("none", "None", "HS256", "RS256", "PS256", "ES256", "EdDSA", "ES256K", "dir", "")
_HEADER: dict[str, list[Any]] = {
    "alg": [*ALGORITHMS, ["ES256"], 1, None],
    "typ": ["JWT", "at+jwt", "AT+JWT", "application/at+jwt", "dpop+jwt", "", 1, None, ["JWT"]],
    "kid": ["", "x", 1, None, ["x"], {}, "../../dev/null", "' OR 1=1"],
    "crit": [["x"], [], ["exp"], "exp", None],
    "b64": [True, False],
    "jwk": [{}, None, {"kty": "oct", "k": "AA"}, {"kty": "EC", "crv": "P-256", "x": "", "y": ""}],
    "jku": ["https://evil.example/"],
    "x5c": [["AA"], []],
    "zip": ["DEF"],
    "cty": ["JWT"],
    "enc": ["A128GCM"],
    "p2c": [2**31],
}
CLAIMS = (
    *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "client_id", "scope", "grant_id"),
    *("htm", "htu", "ath", "nonce", "redirect_uri", "response_type", "max_age", "state", "claims"),
    *("cnf", "act", "may_act", "sid", "acr", "amr", "auth_time", "request", "request_uri"),
)


def encoded(data: bytes | str) -> str:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def signed(key: SigningKey, header: str, claims: str) -> str:
    """A compact JWS over exactly these texts."""
    message = f"{encoded(header)}.{encoded(claims)}"
    return f"{message}.{encoded(key._sign(message.encode()))}"


@st.composite
def bent_tokens(draw: st.DrawFn, token: str, others: list[str], published: list[bytes]) -> str:
    """One step away from a good token: nobody who has the keys signed it."""
    head, body, signature = token.split(".")
    other = draw(st.sampled_from(others)).split(".")
    header = json.loads(decoded(head))
    parts = zip((head, body, signature), other, strict=True)
    bent = {
        "cut": lambda: token[: draw(st.integers(0, len(token) - 1))],
        "longer": lambda: (
            token + draw(st.sampled_from([".", "=", "A", " ", "\n", "é", ".a", "\0"]))
        ),
        "flip": lambda: _with_another_letter(draw, token),
        "swap": lambda: ".".join(draw(st.sampled_from(pair)) for pair in parts),
        "header": lambda: f"{encoded(draw(headers(header)))}.{body}.{signature}",
        "claims": lambda: f"{head}.{_other_claims(draw, body)}.{signature}",
        "unsigned": lambda: (
            f"{_unsigned(draw, header)}.{body}.{draw(st.sampled_from(['', signature]))}"
        ),
        "confused": lambda: _confused(header, body, draw(st.sampled_from(published))),
        "odd": lambda: draw(st.sampled_from(_odd(token))),
    }
    return bent[draw(st.sampled_from(sorted(bent)))]()


def _other_claims(draw: st.DrawFn, body: str) -> str:
    return encoded(draw(claim_sets(json.loads(decoded(body)))))


def _unsigned(draw: st.DrawFn, header: dict[str, Any]) -> str:
    alg = draw(st.sampled_from(["none", "None", "nOnE", "NONE", ""]))
    return encoded(json.dumps({**header, "alg": alg}))


def _confused(header: dict[str, Any], body: str, secret: bytes) -> str:
    """Signed with what everybody knows, as if it were a secret (RFC 8725 §2.1)."""
    message = f"{encoded(json.dumps({**header, 'alg': 'HS256'}))}.{body}"
    return f"{message}.{encoded(hmac.digest(secret, message.encode(), 'sha256'))}"


def _odd(token: str) -> list[str]:
    head, body, signature = token.split(".")
    return [
        *(token.swapcase(), f" {token}", f"{token}=", token.replace(".", "..", 1), token * 2),
        *(f"{head}.{body}..{signature}", "." * 5000, f"{body}.{head}.{signature}"),
    ]


def _with_another_letter(draw: st.DrawFn, token: str) -> str:
    at = draw(st.integers(0, len(token) - 1) | st.just(len(token) - 1))
    letter = draw(st.sampled_from("ABCDEFGHabcdefgh0123-_+/=. \né"))
    return token[:at] + letter + token[at + 1 :]


@st.composite
def headers(draw: st.DrawFn, good: dict[str, Any]) -> str:
    """A header with one member that is wrong, doubled or strange."""
    name = draw(st.sampled_from(sorted(_HEADER)))
    value = draw(st.sampled_from(_HEADER[name]) | json_values().map(json.loads))
    if draw(st.booleans()):
        return json.dumps({**good, name: value})
    return json.dumps(good)[:-1] + f",{json.dumps(name)}:{json.dumps(value)}}}"


@st.composite
def claim_sets(draw: st.DrawFn, good: dict[str, Any]) -> str:
    """Claims with one or two members left out, doubled, or of another type."""
    members = [(name, json.dumps(value)) for name, value in good.items()]
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(CLAIMS) | st.sampled_from(sorted(good)))
        value = draw(st.sampled_from(SCALARS) | json_values() | st.none())
        if value is None or draw(st.booleans()):
            members = [pair for pair in members if pair[0] != name]
        if value is not None:
            members.append((name, value))
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"


@st.composite
def strange_tokens(
    draw: st.DrawFn, key: SigningKey, good: dict[str, Any], header: dict[str, Any]
) -> str:
    """Signed by the key that the client registered: only what it says is wrong."""
    head = draw(st.just(json.dumps(header)) | headers(header))
    claims = draw(claim_sets(good) | st.just(json.dumps(good)) | st.sampled_from(SCALARS))
    return signed(key, head, claims)
