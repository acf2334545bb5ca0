"""openid-client and PyJWT find what this server says well formed: others wrote them."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest

from tests.browser import Browser
from tests.examples.running import PASSWORD, Place, running_place
from tests.factories import Person
from tests.services.node import Node

HOME = "http://localhost:9/"
SCOPE = "openid profile email offline_access"
ADA = Person("", "ada", "", PASSWORD)

Exercise = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("place"), OIDC_REGISTRATION="open") as place:
        place.add_user("ada")
        yield place


@pytest.fixture(scope="module")
def exercise(place: Place, node: Node) -> Exercise:
    """Have openid-client do something with an application that it registered by itself."""

    def run(name: str) -> dict[str, Any]:
        known = {
            "exercise": name,
            "issuer": place.issuer,
            "home": HOME,
            "redirect_uri": f"{HOME}callback",
            "scope": SCOPE,
        }
        with httpx2.Client(base_url=place.issuer) as http:
            browser = Browser(http, place.issuer)
            done: dict[str, Any] = node.converse(
                "openid_client.js", known, lambda address: visit(browser, address)
            )
            return done

    return run


@pytest.fixture(scope="module")
def life_of_tokens(exercise: Exercise) -> dict[str, Any]:
    return exercise("life_of_tokens")


def visit(browser: Browser, address: str) -> str:
    """Do what the pages ask for; returns where the browser is at the end."""
    page = browser.go(address)
    if 'id="user_code"' in page.text:  # filled in already by `verification_uri_complete`
        page = browser.send(page, user_code=parse_qs(urlsplit(address).query)["user_code"][0])
    if 'id="sign-in"' in page.text:
        page = browser.log_in(page, ADA)
    if 'id="allow"' in page.text:
        page = browser.send(page, decision="allow", same_code="on")
    return str(page.headers.get("location") or page.url)


def assert_told_of_ada(seen: dict[str, Any]) -> None:
    assert seen["claims"]["sub"] == seen["userinfo"]["sub"]
    assert seen["userinfo"]["preferred_username"] == "ada"
    assert seen["userinfo"]["email"] == "ada@example.com"


def test_it_signs_a_person_in(life_of_tokens: dict[str, Any], place: Place) -> None:
    assert_told_of_ada(life_of_tokens)
    assert life_of_tokens["claims"]["iss"] == place.issuer
    assert life_of_tokens["claims"]["aud"] == life_of_tokens["client_id"]


def test_it_refreshes(life_of_tokens: dict[str, Any]) -> None:
    first, refreshed = life_of_tokens["first_claims"], life_of_tokens["claims"]

    assert life_of_tokens["rotated"]
    assert refreshed["sub"] == first["sub"]
    assert refreshed["auth_time"] == first["auth_time"]


def test_it_introspects_and_revokes(life_of_tokens: dict[str, Any]) -> None:
    introspected = life_of_tokens["introspected"]

    assert introspected["active"] is True
    assert introspected["client_id"] == life_of_tokens["client_id"]
    assert set(introspected["scope"].split()) == set(SCOPE.split())
    assert life_of_tokens["afterwards"] == {"active": False}
    assert life_of_tokens["refusal"] == "invalid_grant"


def test_it_pushes_its_request(exercise: Exercise) -> None:
    seen = exercise("pushed_request")

    assert seen["asked"] == ["client_id", "request_uri"]
    assert_told_of_ada(seen)


def test_it_signs_its_request(exercise: Exercise) -> None:
    seen = exercise("request_object")

    assert seen["asked"] == ["client_id", "request"]
    assert_told_of_ada(seen)


def test_it_reads_an_answer_that_was_signed(exercise: Exercise) -> None:
    seen = exercise("signed_response")

    assert seen["answered"] == ["response"]
    assert_told_of_ada(seen)


def test_it_proves_itself_and_its_tokens_with_keys(exercise: Exercise) -> None:
    seen = exercise("private_key_jwt_and_dpop")

    assert seen["token_type"] == "dpop"  # lower case, as openid-client has it
    assert seen["bound_to"].keys() == {"jkt"}
    assert seen["unbound"] in (401, "invalid_token")
    assert_told_of_ada(seen)


def test_it_proves_itself_with_its_secret_without_sending_it(exercise: Exercise) -> None:
    assert_told_of_ada(exercise("client_secret_jwt"))


def test_it_connects_a_device(exercise: Exercise) -> None:
    assert_told_of_ada(exercise("device"))


def test_it_decrypts_what_was_encrypted_for_it(exercise: Exercise) -> None:
    seen = exercise("encrypted_tokens")

    assert seen["parts"] == 5
    assert_told_of_ada(seen)


def test_it_manages_its_own_registration(exercise: Exercise) -> None:
    seen = exercise("registration")

    assert seen["read"]["client_name"] == "Self-made"
    assert (seen["deleted"], seen["afterwards"]) == (204, 401)


def test_it_signs_a_person_out(exercise: Exercise) -> None:
    assert exercise("logout") == {"back": f"{HOME}?state=over", "error": "login_required"}


@pytest.mark.parametrize(("kind", "algorithm"), [("id_token", "RS256"), ("access_token", "ES256")])
def test_pyjwt_verifies_with_the_published_keys(
    life_of_tokens: dict[str, Any], place: Place, kind: str, algorithm: str
) -> None:
    token = life_of_tokens[kind]
    audience = life_of_tokens["client_id"] if kind == "id_token" else place.issuer

    key = jwt.PyJWKClient(f"{place.issuer}/jwks.json").get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=[algorithm], audience=audience, issuer=place.issuer)

    assert claims["sub"] == life_of_tokens["claims"]["sub"]
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=[algorithm], audience="another")


def test_pyjwt_refuses_a_token_that_was_changed(
    life_of_tokens: dict[str, Any], place: Place
) -> None:
    genuine = life_of_tokens["access_token"]
    key = jwt.PyJWKClient(f"{place.issuer}/jwks.json").get_signing_key_from_jwt(genuine)
    header, payload, signature = genuine.split(".")
    claims = jwt.utils.base64url_decode(payload).replace(b'"sub":"', b'"sub":"x')

    changed = ".".join([header, jwt.utils.base64url_encode(claims).decode(), signature])

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(changed, key, algorithms=["ES256"], audience=place.issuer)
