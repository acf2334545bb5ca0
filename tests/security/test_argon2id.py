"""Argon2id in our own memory is the Argon2id of the library."""

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import argon2
import pytest
from argon2.low_level import Type

from oidc_server.security.passwords import PasswordHasher, argon2id

SECRET = "a long enough pässphrase".encode()


def encoded(**changes: Any) -> str:
    costs = {"time_cost": 1, "memory_cost": 64, "parallelism": 1, **changes}
    return argon2.PasswordHasher(**costs).hash(SECRET)


@pytest.mark.parametrize(
    "costs",
    [
        {},
        {"time_cost": 3, "memory_cost": 19456},
        {"memory_cost": 4099, "parallelism": 3},
        {"hash_len": 4, "salt_len": 8},
        {"hash_len": 65, "salt_len": 33},
    ],
)
def test_what_the_library_made_is_known_again_and_nothing_else(costs: dict[str, int]) -> None:
    hashed = encoded(**costs)

    assert argon2id.verify(hashed, SECRET) is True
    assert argon2id.verify(hashed, SECRET + b"!") is False
    assert argon2id.verify(hashed, b"") is False


def test_a_hash_that_was_changed_does_not_hold() -> None:
    head, salt, tag = encoded().rsplit("$", 2)
    other = "B" if tag[0] == "A" else "A"

    assert argon2id.verify(f"{head}${salt}${other}{tag[1:]}", SECRET) is False
    assert argon2id.verify(f"{head}${other}{salt[1:]}A${tag}", SECRET) is not True
    assert argon2id.verify(f"{head.replace('t=1', 't=2')}${salt}${tag}", SECRET) is False


@pytest.mark.parametrize("type_", [Type.I, Type.D])
def test_other_kinds_are_left_to_the_library(type_: Type) -> None:
    hashed = encoded(type=type_)

    assert argon2id.verify(hashed, SECRET) is None
    assert PasswordHasher(1, 64, 1).verify(hashed, SECRET.decode())


@pytest.mark.parametrize(
    "hashed",
    [
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$dGFnd",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$dGFndGFn",
        "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$dGFndGFn",
        "$argon2id$v=19$m=999999999999,t=1,p=1$c2FsdHNhbHQ$dGFndGFn",
        "$argon2id$v=19$m=0,t=1,p=1$c2FsdHNhbHQ$dGFndGFn",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$dGFndGFn\n",
    ],
)
def test_what_is_no_hash_is_just_wrong(hashed: str) -> None:
    assert not PasswordHasher(1, 64, 1).verify(hashed, SECRET.decode())


def test_memory_that_cannot_be_had_is_an_error_and_not_a_crash() -> None:
    too_much = "$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$dGFndGFn"
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (64 * 1024**3, before[1]))
    try:
        assert not PasswordHasher(1, 64, 1).verify(too_much, SECRET.decode())
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_threads_hash_at_once_and_all_memory_is_given_back() -> None:
    hashed = encoded(memory_cost=1024)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: argon2id.verify(hashed, SECRET), range(64)))

    assert found == [True] * 64
    assert argon2id._blocks == {}


def test_a_system_that_lets_nobody_write_what_is_executed_has_passwords_too() -> None:
    """As systemd does it with MemoryDenyWriteExecute: prctl(PR_SET_MDWE), from Linux 6.3 on."""
    program = f"""
import ctypes
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
from oidc_server.security.passwords import PasswordHasher, argon2id
assert PasswordHasher(1, 64, 1).verify({encoded()!r}, {SECRET.decode()!r})
assert not PasswordHasher(1, 64, 1).verify({encoded()!r}, "another one")
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
