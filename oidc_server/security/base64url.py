"""Base64url without padding (RFC 7515 §2), and the SHA-256 digests that travel in it."""

import base64
import hashlib
import re

SHA256 = re.compile(r"[A-Za-z0-9_-]{43}")
"""What `sha256` returns: a code challenge, a thumbprint."""
_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sha256(data: bytes) -> str:
    """The digest, as PKCE, DPoP and thumbprints have it."""
    return encode(hashlib.sha256(data).digest())


def decode(text: str) -> bytes:
    """The bytes; raises `ValueError` for what is not base64url, or is padded."""
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
