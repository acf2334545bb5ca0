"""Argon2id hashes; those that were made elsewhere are passed on to `imported`."""

import ctypes
import threading
from contextlib import suppress

import argon2

from oidc_server.security.passwords import argon2id, imported
from oidc_server.security.passwords.normal import normalised

_M_MMAP_THRESHOLD = -3  # malloc.h


def _give_memory_back() -> None:
    """Have glibc return what a hash needed: by default each hashing thread keeps it for good."""
    with suppress(AttributeError):  # another C library does as it likes
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)


class PasswordHasher:
    """Argon2id with one set of costs. Slow on purpose: call it outside any transaction."""

    def __init__(self, time_cost: int, memory_kib: int, parallelism: int) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism
        )
        self._dummy: str | None = None
        self._dummy_lock = threading.Lock()
        _give_memory_back()

    def hash(self, password: str) -> str:
        """The encoded hash with its salt and costs; ValueError if the password cannot be one."""
        return self._argon2.hash(normalised(password))

    def verify(self, encoded: str, password: str) -> bool:
        """Whether `password` made `encoded`; what cannot be a hash or a password is just wrong.

        Hashes of other systems are taken too; `needs_rehash` then is true.
        """
        try:
            secret = normalised(password)
            if not encoded.startswith("$argon2"):
                return imported.verify(encoded, secret)
            found = argon2id.verify(encoded, secret)
            return self._argon2.verify(encoded, secret) if found is None else found
        except (argon2.exceptions.Argon2Error, ValueError):
            return False

    def needs_rehash(self, encoded: str) -> bool:
        """Whether `encoded` was made in another way, or with other costs, than today's."""
        try:
            return self._argon2.check_needs_rehash(encoded)
        except argon2.exceptions.InvalidHashError:
            return True

    @property
    def dummy(self) -> str:
        """A hash nobody knows the password of: verify against it when there is no such user.

        Made once, with the same costs, so that an unknown user takes as long as a known one.
        """
        with self._dummy_lock:
            if self._dummy is None:
                self._dummy = self._argon2.hash(b"nobody's password")
            return self._dummy
