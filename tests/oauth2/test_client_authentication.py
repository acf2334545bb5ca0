"""Reading credentials: strict, and never surprised."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.oauth2.authlib import InvalidClientError, InvalidRequestError
from oidc_server.oauth2.client_authentication import read_credentials

text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300)


def header(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("pair", "identity", "secret"),
    [
        ("id:secret", "id", "secret"),
        ("id:", "id", ""),
        ("id:a:b", "id", "a:b"),
        ("i%3Ad:s%2Bc+r%25t", "i:d", "s+c r%t"),
        ("%C3%A9:%C3%A9", "\u00e9", "\u00e9"),
    ],
)
def test_basic_is_form_encoded(pair: str, identity: str, secret: str) -> None:
    found = read_credentials([header(pair)], {})

    assert (found.client_id, found.secret) == (identity, secret)
    assert found.method == "client_secret_basic"


@pytest.mark.parametrize(
    ("form", "secret", "method"),
    [
        ({"client_id": "id"}, None, "none"),
        ({"client_id": "id", "client_secret": "s"}, "s", "client_secret_post"),
    ],
)
def test_the_body_says_who_it_is(form: dict[str, str], secret: str | None, method: str) -> None:
    found = read_credentials([], form)

    assert (found.client_id, found.secret, found.method) == ("id", secret, method)


@given(st.lists(text, max_size=3), st.dictionaries(st.sampled_from(["client_id", "x"]), text))
def test_a_request_has_credentials_or_is_refused(headers: list[str], form: dict[str, str]) -> None:
    try:
        found = read_credentials(headers, form)
    except (InvalidClientError, InvalidRequestError):
        return

    assert found.client_id == form.get("client_id", found.client_id)


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange_to_be_refused(raw: bytes) -> None:
    try:
        found = read_credentials([f"Basic {base64.b64encode(raw).decode()}"], {})
    except InvalidClientError:
        return

    assert found.client_id
    assert "\0" not in found.client_id
