"""The one form of a password, whatever keyboard it was typed on."""

import unicodedata

MAX_LENGTH = 1024
"""Longer input is refused before it is hashed: nobody types it, and hashing it costs."""


def normalised(password: str) -> bytes:
    """NFC, as NIST SP 800-63B-4 §3.1.1.2 asks: the same password typed on another keyboard.

    Not NFKC, which would make visibly different passwords equal. ValueError if it cannot be one.
    """
    if len(password) > MAX_LENGTH:
        raise ValueError(f"a password has at most {MAX_LENGTH} characters")
    return unicodedata.normalize("NFC", password).encode("utf-8")


def is_possible(password: str) -> bool:
    """Whether this can be a password at all: `normalised` takes it."""
    try:
        return bool(normalised(password))
    except ValueError:
        return False
