"""The verifier and its challenge (RFC 7636 §4.1, §4.2, §4.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.oauth2.pkce import matches
from oidc_server.security.base64url import SHA256

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE_OF_IT = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_appendix_b_matches() -> None:
    assert SHA256.fullmatch(CHALLENGE_OF_IT)
    assert matches(CHALLENGE_OF_IT, VERIFIER)


@pytest.mark.parametrize(
    "verifier",
    ["", CHALLENGE_OF_IT, VERIFIER[:-1], f"{VERIFIER} ", f"{VERIFIER}\n", "\u00e9" * 43, "x" * 129],
)
def test_nothing_else_does(verifier: str) -> None:
    assert not matches(CHALLENGE_OF_IT, verifier)


@given(st.text(max_size=200))
def test_no_text_is_too_strange_to_be_refused(text: str) -> None:
    assert not matches(CHALLENGE_OF_IT, text)
