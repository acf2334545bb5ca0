"""Base64url without padding (RFC 7515 §2), and the SHA-256 digests that travel in it."""

import base64
import hashlib
import re
from binascii import b2a_base64

SHA256 = re.compile(r"[A-Za-z0-9_-]{43}")
"""What `sha256` returns: a code challenge, a thumbprint."""
_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")
_OF_URLS = bytes.maketrans(b"+/", b"-_")


def encode(data: bytes) -> str:
    return encode_to_bytes(data).decode("ascii")


def encode_to_bytes(data: bytes) -> bytes:
    """The same as bytes. For the hot path: `base64` makes twice as many calls."""
    return b2a_base64(data, newline=False).translate(_OF_URLS).rstrip(b"=")


def sha256(data: bytes) -> str:
    """The digest, as PKCE, DPoP and thumbprints have it."""
    return encode(hashlib.sha256(data).digest())


def decode(text: str) -> bytes:
    """The bytes; raises `ValueError` for what is not base64url, or is padded."""
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
