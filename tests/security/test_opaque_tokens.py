"""Random handles."""

import base64
import hashlib
import hmac
import re

import pytest

from oidc_server.security import opaque_tokens

KEY = b"k" * 32


def test_handles_are_long_url_safe_and_never_the_same():
    handles = {opaque_tokens.mint() for _ in range(1000)}

    assert len(handles) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", handle) for handle in handles)
    assert len(opaque_tokens.mint(16)) == 22


def test_what_is_stored_is_the_sha_256_of_the_handle():
    assert opaque_tokens.digest("abc") == hashlib.sha256(b"abc").digest()


@pytest.mark.parametrize("garbage", ["", "é", "\ud800", "\0", "a" * 1_000_000])
def test_garbage_has_a_digest_too_so_that_it_is_simply_not_found(garbage):
    assert len(opaque_tokens.digest(garbage)) == 32
    assert len(opaque_tokens.successor(KEY, garbage)) == 43


def test_a_token_has_the_same_successor_every_time():
    expected = hmac.new(KEY, b"presented", hashlib.sha256).digest()

    successor = opaque_tokens.successor(KEY, "presented")

    assert successor == opaque_tokens.successor(KEY, "presented")
    assert base64.urlsafe_b64decode(successor + "=") == expected


def test_the_successor_needs_the_key_and_the_token():
    successors = {
        opaque_tokens.successor(key, token) for key in (KEY, b"x" * 32) for token in ("a", "b")
    }

    assert len(successors) == 4


def test_equal_is_equal():
    assert opaque_tokens.constant_time_equal(b"abc", b"abc")
    assert not opaque_tokens.constant_time_equal(b"abc", b"abd")
    assert not opaque_tokens.constant_time_equal(b"abc", b"ab")
