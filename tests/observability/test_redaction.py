"""What a log never shows."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.observability.redaction import MASK, clean, clean_text, is_secret
from tests.processor_time import at_most

HIDDEN = "Hidden-Value_1"


@pytest.mark.parametrize(
    "name",
    [
        "password", "new_password", "currentPassword", "password_hash", "PASSWORD", "pwd",
        "token", "access_token", "refreshToken", "id_token_hint", "token_digest", "csrf_token",
        "code", "user_code", "authorization_code", "code_verifier", "codes", "recovery-codes",
        "secret", "client_secret", "secret_key", "private_key", "cookie", "Set-Cookie", "cookies",
        "authorization", "Authorization", "Proxy-Authorization", "client_assertion", "DPoP",
        "link", "reset_link", "totp", "otp", "signature", "ticket", "credentials", "dpop.jwt",
    ],
)  # fmt: skip
def test_a_field_that_sounds_like_a_secret_is_one(name):
    assert is_secret(name)
    assert clean(name, HIDDEN) == MASK
    assert clean(name, 123456) == MASK
    assert clean(name, [HIDDEN, {"a": HIDDEN}]) == MASK


@pytest.mark.parametrize(
    "name",
    ["status_code", "token_type", "token_endpoint_auth_method", "error", "client_id", "grant_id",
     "decode", "barcode", "scope", "user_name", "path", "linkage", "attempt", "kid", "event"],
)  # fmt: skip
def test_what_only_looks_like_it_is_shown(name):
    assert not is_secret(name)
    assert clean(name, "harmless") == "harmless"


@pytest.mark.parametrize(
    "text",
    [
        f"https://id.example.com/authorize?code={HIDDEN}",
        f"/verify-email?x=1&link={HIDDEN}&y=2",
        f"grant_type=authorization_code&code={HIDDEN}&code_verifier={HIDDEN}",
        f"/login?next=%2Fcb%3Fcode%3D{HIDDEN}%26state%3D1",
        f"/login?next=%252Fcb%253Faccess_token%253D{HIDDEN}",
        f"client_secret = {HIDDEN}",
        f"password: {HIDDEN}",
        f"{{'password': '{HIDDEN}', 'n': 1}}",
        f'{{"refresh_token":"{HIDDEN}"}}',
        f'{{"password": "a \\" {HIDDEN}"}}',
        f"[('client_id', 'c'), ('client_secret', '{HIDDEN}')]",
        f"{{b'password': b'{HIDDEN}'}}",
        f"password='cut off {HIDDEN}",
        f'password="cut off {HIDDEN}',
        f"password='with code=1 {HIDDEN}'",
        f"codes=['a', '{HIDDEN}']",
        f"codes: ('a', '{HIDDEN}'",
        f'"token": {{"value": "{HIDDEN}"}}',
        f"Form(username='alice', password='{HIDDEN} with blanks')",
        f"Authorization: Basic {HIDDEN}",
        f"authorization: DPoP {HIDDEN}",
        f"('authorization', 'Bearer {HIDDEN}')",
        f"[(b'cookie', b'a={HIDDEN}; b=2')]",
        f"Cookie: theme=dark; session={HIDDEN}, other={HIDDEN}",
        f"set-cookie: __Host-session={HIDDEN}; Path=/; Secure",
        f"refused: bearer {HIDDEN}",
        f"bad token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.{HIDDEN}",
        f"token=eyJhbGciOiJFUzI1NiJ9.{HIDDEN}.{HIDDEN}",
        f"postgresql://oidc:{HIDDEN}@db/oidc",
        f"(sqlite3.Error) locked\n[SQL: UPDATE t]\n[parameters: ('{HIDDEN}', b'x')]\n(Background)",
        f"duplicate key\nDETAIL:  Key (email)=({HIDDEN}) already exists.",
    ],
)
def test_a_secret_inside_a_text_is_masked(text):
    shown = clean_text(text)

    assert HIDDEN not in shown
    assert MASK in shown


def test_what_stands_around_a_secret_stays():
    assert clean_text("POST /token?code=abc&state=xyz failed") == (
        "POST /token?code=***&state=xyz failed"
    )
    assert clean_text("{'client_secret': 'a b', 'client_id': 'c'}") == (
        "{'client_secret': ***, 'client_id': 'c'}"
    )


@pytest.mark.parametrize(
    "text",
    ["GET /authorize", "status_code=200", "error: invalid_grant", "decode=utf8",
     "basic facts", "10:30:12", "a=1&b=2", "https://id.example.com/jwks.json"],
)  # fmt: skip
def test_harmless_text_is_shown_as_it_is(text):
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nforged", "a\\r\\nforged"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("bell\x07 nul\x00 del\x7f csi\x9b", "bell\\x07 nul\\x00 del\\x7f csi\\x9b"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("\ud800", "\\ud800"),
        ("Grüße 日本 🦊", "Grüße 日本 🦊"),
    ],
)
def test_no_text_forges_a_line_or_paints_the_terminal(text, shown):
    assert clean_text(text) == shown
    assert clean(text, 1) == 1


def test_lines_of_an_exception_stay_lines_but_look_like_no_line_of_the_log():
    shown = clean_text("Traceback\nValueError: x\n2026-11-23 [info] forged\r", multiline=True)

    assert shown == "  Traceback\n  ValueError: x\n  2026-11-23 [info] forged\\r"


@dataclass
class Form:
    password: str


def test_values_are_searched_however_deep_and_whatever_they_are():
    value = {
        "headers": {"Cookie": HIDDEN, "accept": "text/html"},
        "items": [{"token": HIDDEN}, (f"code={HIDDEN}",)],
        "form": Form(HIDDEN),
        "raw": f"password={HIDDEN}".encode(),
        "n": [1, 2.5, None, True],
        f"code={HIDDEN}": 1,
    }

    shown: Any = clean("request", value)

    assert HIDDEN not in repr(shown)
    assert shown["headers"]["accept"] == "text/html"
    assert shown["n"] == [1, 2.5, None, True]


def test_what_has_no_end_is_cut_off():
    endless: list[object] = []
    endless.append(endless)

    assert "…" in repr(clean("value", endless))
    assert len(clean_text("x" * 10_000_000)) < 30_000


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
))  # fmt: skip
def test_cleaning_never_fails_and_leaves_nothing_unprintable(value):
    def check(shown):
        if isinstance(shown, dict):
            for key, item in shown.items():
                check(key)
                check(item)
        elif isinstance(shown, list):
            for item in shown:
                check(item)
        elif isinstance(shown, str):
            assert "\n" not in shown
            assert "\x1b" not in shown
            shown.encode()
        else:
            assert shown is None or isinstance(shown, bool | int | float)

    check(clean("value", value))


@pytest.mark.parametrize(
    "text",
    ["a" * 99_999, "a=" * 9_999, 'a="' + "\\" * 19_999, "eyJ" * 6_666, "%25" * 6_666, "://" * 6_666,
     "bearer " * 2_857, "x='" * 6_666, "token='" * 2_857, "cookie" * 3_333, " " * 19_999,
     "-a" * 9_999, "'a'," * 5_000, "code='\\" * 2_857, "code=[" * 3_333],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_no_text_takes_long_to_clean(text):
    with at_most(1):
        clean_text(text)
