"""Passwords: Argon2id hashes, and what a new password must not be (NIST SP 800-63B-4 §3.1.1)."""

import ctypes
import threading
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import argon2

_M_MMAP_THRESHOLD = -3  # malloc.h

MAX_LENGTH = 1024
"""Longer input is refused before it is hashed: nobody types it, and hashing it costs."""

_LEET = str.maketrans("0134578@$!+", "oieastbasit")
_PADDING = "0123456789!?.,;:*+-_=#@$%&/()[]{} "
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
)


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
        return self._argon2.hash(_normalised(password))

    def verify(self, encoded: str, password: str) -> bool:
        """Whether `password` made `encoded`; what cannot be a hash or a password is just wrong."""
        try:
            return self._argon2.verify(encoded, _normalised(password))
        except (argon2.exceptions.Argon2Error, ValueError):
            return False

    def needs_rehash(self, encoded: str) -> bool:
        """Whether `encoded` was made with other costs than today's."""
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


def problems(password: str, *, minimum: int, context: Iterable[str] = ()) -> str | None:
    """Why `password` may not be chosen, as a stable code, or None if it may.

    `context` is what the person is known by: username, address, name, the brand. Codes:
    `control_characters`, `too_short`, `too_long`, `too_common`, `contains_name`. No rules of
    composition: NIST SP 800-63B-4 §3.1.1.2 forbids them.
    """
    if len(password) > MAX_LENGTH:
        return "too_long"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in password):
        return "control_characters"
    # NIST SP 800-63B-4 §3.1.1.2 counts each Unicode code point as one character.
    if len(unicodedata.normalize("NFC", password)) < minimum:
        return "too_short"
    folded = _folded(password)
    if any(_names(folded, word) for word in context):
        return "contains_name"
    if _is_common(folded):
        return "too_common"
    return None


def _normalised(password: str) -> bytes:
    """NFC, as NIST SP 800-63B-4 §3.1.1.2 asks: the same password typed on another keyboard.

    Not NFKC, which would make visibly different passwords equal.
    """
    if len(password) > MAX_LENGTH:
        raise ValueError(f"a password has at most {MAX_LENGTH} characters")
    return unicodedata.normalize("NFC", password).encode("utf-8")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _names(folded_password: str, word: str) -> bool:
    """Whether the password contains `word`, or the part of an address before the at sign."""
    whole = _folded(word).strip()
    name = whole.partition("@")[0]
    if len(name) < 4:  # "Jo" is inside too many good passwords
        return bool(name) and folded_password in (name, whole)
    return name in folded_password or name.replace(" ", "") in folded_password.replace(" ", "")


def _is_common(folded: str) -> bool:
    """Whether the password, the unit it repeats, or the bare word in it is a well-known one."""
    if len(set(folded)) < 4:
        return True
    spellings = {folded, _unit(folded)}
    spellings |= {spelling.strip(_PADDING) for spelling in spellings}
    spellings |= {_unit(spelling) for spelling in spellings}
    spellings |= {spelling.translate(_LEET) for spelling in spellings}
    spellings |= {spelling.replace(" ", "") for spelling in spellings}
    return any(_is_row(s) for s in spellings) or not spellings.isdisjoint(_common_passwords())


def _unit(text: str) -> str:
    """The shortest piece that makes `text` when repeated: 'abcabcab' gives 'abc'."""
    for size in range(1, len(text) // 2 + 1):
        piece = text[:size]
        if (piece * (len(text) // size + 1))[: len(text)] == text:
            return piece
    return text


def _is_row(text: str) -> bool:
    """Whether the keys stand side by side on a keyboard or in the alphabet, either way."""
    return len(text) > 3 and any(text in row or text in row[::-1] for row in _ROWS)


@cache
def _common_passwords() -> frozenset[str]:
    """The built-in list, one password a line, already folded."""
    text = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())
