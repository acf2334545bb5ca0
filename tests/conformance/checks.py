"""What the suite checks in every module, whatever the module is about."""

import math
import re
from collections import Counter
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from httpx2 import Response

DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")
ERROR_ANSWER = frozenset({"error", "error_description", "error_uri"})
ID_TOKEN = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp"}
    | {"at_hash", "c_hash", "s_hash", "jti", "nbf", "sid"}
)
"""What an ID Token of the code flow may hold; the rest belongs in userinfo."""
_YEAR = 365 * 24 * 3600
_BIRTHDATE = re.compile(r"\d{4}(-\d{2}-\d{2})?")
_BOOLEANS = frozenset({"email_verified", "phone_number_verified"})
_NUMBERS = frozenset({"exp", "iat", "auth_time", "updated_at"})
_LISTS = frozenset({"amr"})


def of_json(response: Response, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    return body


def of_error(response: Response, error: str, status: int = 400) -> dict[str, Any]:
    """A refusal in JSON."""
    body = of_json(response, status)
    assert body["error"] == error, body
    assert DESCRIPTION.fullmatch(body["error_description"])
    return body


def is_page(response: Response) -> bool:
    """A page for the person: nobody is sent anywhere."""
    html = response.headers["content-type"].startswith("text/html")
    return html and not {"location", "refresh"} & set(response.headers)


def of_registration(response: Response, scheme: str = "https") -> dict[str, Any]:
    client = of_json(response, 201)
    assert "error" not in client
    assert ("client_secret" in client) == ("client_secret_expires_at" in client)
    assert urlsplit(client["registration_client_uri"]).scheme == scheme
    assert client["registration_access_token"]
    return client


def of_answer(params: dict[str, str]) -> None:
    """A code that nobody guesses, or an error with nothing beside it."""
    if "error" in params:
        assert params.keys() <= ERROR_ANSWER
        assert DESCRIPTION.fullmatch(params["error_description"])
    else:
        assert params.keys() == {"code"}
        assert _entropy(params["code"]) >= 96


def of_tokens(response: Response) -> dict[str, Any]:
    body = of_json(response)
    assert response.headers["cache-control"] == "no-store"
    assert body["token_type"].lower() == "bearer"
    assert _entropy(body["access_token"]) >= 96
    assert re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", body["access_token"])
    assert type(body["expires_in"]) is int
    assert 0 < body["expires_in"] <= _YEAR
    return body


def of_id_token(claims: dict[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    assert moment < claims["exp"] < moment + 50 * _YEAR
    assert abs(claims["iat"] - moment) <= 300
    assert moment - _YEAR < claims["auth_time"] <= moment
    assert claims.keys() <= ID_TOKEN
    of_claims(claims)


def of_claims(claims: dict[str, Any]) -> None:
    """No null, nothing empty, and every standard claim of its type (Core §5.1)."""
    for name, value in claims.items():
        if name == "address":
            assert value
            assert all(isinstance(part, str) and part for part in value.values())
        elif name in _BOOLEANS:
            assert type(value) is bool, name
        elif name in _NUMBERS:
            assert type(value) is int, name
        elif name in _LISTS:
            assert value
        else:
            assert isinstance(value, str), name
            assert value not in ("", "null"), name
    assert _BIRTHDATE.fullmatch(claims.get("birthdate", "0000"))


def _entropy(text: str) -> float:
    """Shannon's, of the characters of this one text, in bits."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -len(text) * sum(share * math.log2(share) for share in shares)
