"""What the suite checks of every error: its letters, its members, its status."""

import re
from typing import Any

import pytest

from tests.conformance import checks
from tests.conformance.suite import TWICE, Suite
from tests.factories import Person

ODD = 'a"b\\c\td\u00e9\u2028 %22 {0}'
"""What an `error_description` must not repeat."""
LONG = "x" * 3000

QUERIED = (
    "response_type",
    "scope",
    "max_age",
    "id_token_hint",
    "claims",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "resource",
    "nonce",
    "acr_values",
    "dpop_jkt",
    "display",
)


@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.parametrize("value", [ODD, LONG, ""])
def test_an_error_of_a_redirect_has_the_letters_that_are_allowed(
    suite: Suite, value: str, mode: str
) -> None:
    party = suite.party()

    for name in QUERIED:
        asked = {"response_mode": mode, "prompt": "none", name: value}
        answer = party.read(party.browser.go(party.url(**asked)))

        assert re.fullmatch("[a-z_]+", answer.error or "")


@pytest.mark.parametrize("value", [ODD, LONG])
def test_an_error_of_how_to_answer_or_ask_is_told_by_redirect(suite: Suite, value: str) -> None:
    party = suite.party()

    for name in ("response_mode", "prompt"):
        answer = party.read(party.browser.go(party.url(**{name: value})))

        assert answer.error == "invalid_request"


TOKEN = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope")


@pytest.mark.parametrize("value", [ODD, LONG])
@pytest.mark.parametrize("grant_type", TWICE)
def test_an_error_of_the_token_endpoint_has_the_letters_that_are_allowed(
    suite: Suite, person: Person, grant_type: str, value: str
) -> None:
    party = suite.party(grant_types=TWICE)
    good = {
        "grant_type": grant_type,
        "code": party.authorize(person).params["code"],
        "redirect_uri": party.callback,
        "refresh_token": "x",
    }

    for name in TOKEN:
        of_a_refusal(party.ask_for_tokens({**good, name: value}))


@pytest.mark.parametrize("value", [ODD, LONG])
@pytest.mark.parametrize("name", ["client_id", "client_secret", "client_assertion"])
def test_an_error_of_authentication_has_the_letters_that_are_allowed(
    suite: Suite, name: str, value: str
) -> None:
    party = suite.party(token_endpoint_auth_method="client_secret_post")
    _, proof = party.credentials()

    for endpoint in ("token", "revocation", "introspection", "pushed_authorization_request"):
        response = suite.http.post(
            suite.metadata[f"{endpoint}_endpoint"],
            data={"grant_type": "refresh_token", "token": "x", **proof, name: value},
        )

        of_a_refusal(response)


MEMBERS: list[tuple[str, Any]] = [
    ("redirect_uris", [ODD]),
    ("grant_types", [ODD]),
    ("response_types", [ODD]),
    ("token_endpoint_auth_method", ODD),
    ("client_name", LONG),
    ("jwks_uri", ODD),
    ("id_token_signed_response_alg", ODD),
    ("subject_type", ODD),
    ("sector_identifier_uri", ODD),
    ("post_logout_redirect_uris", [ODD]),
    ("request_uris", [ODD]),
    ("scope", ODD),
    ("logo_uri", ODD),
]


@pytest.mark.parametrize(("member", "value"), MEMBERS)
def test_an_error_of_a_registration_has_the_letters_that_are_allowed(
    suite: Suite, member: str, value: Any
) -> None:
    of_a_refusal(suite.ask_to_register(**suite.describe(**{member: value})))


def test_an_error_of_userinfo_has_the_letters_that_are_allowed(suite: Suite) -> None:
    userinfo = suite.metadata["userinfo_endpoint"]

    for token in ("x", "a.b.c", LONG, 'a"b'):
        of_a_refusal(suite.http.post(userinfo, data={"access_token": token}))


def of_a_refusal(response: Any) -> None:
    assert response.status_code in (400, 401), (response.status_code, response.text)
    body = checks.of_json(response, response.status_code)
    assert re.fullmatch("[a-z_]+", body["error"])
    assert checks.DESCRIPTION.fullmatch(body["error_description"])
