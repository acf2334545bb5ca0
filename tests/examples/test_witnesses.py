"""Libraries that others wrote find what this server says well formed: openid-client and PyJWT."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import jwt
import orjson
import pytest

from tests.browser import Browser
from tests.examples.running import PASSWORD, Place, running_place
from tests.factories import Person
from tests.services.node import Node

HOME = "http://localhost:9"
SCOPE = "openid profile email offline_access"


@dataclass(frozen=True)
class Account:
    """A whole life of tokens, as openid-client saw it."""

    issuer: str
    client_id: str
    seen: Mapping[str, Any]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.fixture(scope="module")
def testimony(place: Place, node: Node) -> Account:
    place.add_user("ada")
    app = place.add_app("Witness", HOME)
    known = {
        "issuer": place.issuer,
        "client_id": app["CLIENT_ID"],
        "client_secret": app["CLIENT_SECRET"],
        "redirect_uri": f"{HOME}/callback",
        "scope": SCOPE,
    }
    attempt = node.run("witness.js", orjson.dumps(known).decode())
    callback = allow(place, attempt.pop("url"))
    return Account(
        place.issuer,
        app["CLIENT_ID"],
        node.run("witness.js", orjson.dumps({**known, **attempt, "callback": callback}).decode()),
    )


def allow(place: Place, url: str) -> str:
    """Sign in and allow; returns the address that the browser is sent to."""
    with httpx2.Client(base_url=place.issuer) as http:
        browser = Browser(http, place.issuer)
        page = browser.log_in(browser.go(url), Person("", "ada", "", PASSWORD))
        location: str = browser.allow(page).headers["location"]
        return location


def test_openid_client_signs_a_person_in(testimony: Account) -> None:
    claims = testimony.seen["claims"]

    assert claims["iss"] == testimony.issuer
    assert claims["aud"] == testimony.client_id
    assert testimony.seen["userinfo"] == {
        "sub": claims["sub"],
        "name": "Ada",
        "preferred_username": "ada",
        "email": "ada@example.com",
        "email_verified": True,
        "updated_at": testimony.seen["userinfo"]["updated_at"],
    }


def test_openid_client_refreshes(testimony: Account) -> None:
    first, refreshed = testimony.seen["claims"], testimony.seen["refreshed_claims"]

    assert testimony.seen["rotated"]
    assert refreshed["sub"] == first["sub"]
    assert refreshed["auth_time"] == first["auth_time"]


def test_openid_client_introspects_and_revokes(testimony: Account) -> None:
    introspected = testimony.seen["introspected"]

    assert introspected["active"] is True
    assert introspected["client_id"] == testimony.client_id
    assert set(introspected["scope"].split()) == set(SCOPE.split())
    assert testimony.seen["afterwards"] == {"active": False}
    assert testimony.seen["refusal"] == "invalid_grant"


@pytest.mark.parametrize(("kind", "algorithm"), [("id_token", "RS256"), ("access_token", "ES256")])
def test_pyjwt_verifies_with_the_published_keys(
    testimony: Account, kind: str, algorithm: str
) -> None:
    token = testimony.seen[kind]
    audience = testimony.client_id if kind == "id_token" else testimony.issuer

    key = jwt.PyJWKClient(f"{testimony.issuer}/jwks.json").get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token, key, algorithms=[algorithm], audience=audience, issuer=testimony.issuer
    )

    assert claims["sub"] == testimony.seen["claims"]["sub"]
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=[algorithm], audience="another")


def test_pyjwt_refuses_a_token_that_was_changed(testimony: Account) -> None:
    genuine = testimony.seen["access_token"]
    key = jwt.PyJWKClient(f"{testimony.issuer}/jwks.json").get_signing_key_from_jwt(genuine)
    header, payload, signature = genuine.split(".")
    claims = jwt.utils.base64url_decode(payload).replace(b'"sub":"', b'"sub":"x')

    changed = ".".join([header, jwt.utils.base64url_encode(claims).decode(), signature])

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(changed, key, algorithms=["ES256"], audience=testimony.issuer)
