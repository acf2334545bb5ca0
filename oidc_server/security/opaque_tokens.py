"""Random handles a client or browser holds, and the digests the database keeps of them."""

import hashlib
import hmac
import os

from oidc_server.security import base64url


def mint(nbytes: int = 32) -> str:
    """A fresh handle: `nbytes` random bytes in base64url without padding."""
    return base64url.encode(os.urandom(nbytes))


def digest(token: str) -> bytes:
    """What is stored instead of the token.

    Plain SHA-256 is enough: a handle has 256 random bits, so there is nothing to guess. Never use
    it for passwords. Text that is not valid Unicode gets a digest too, so that garbage from a
    client is simply not found.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def successor(key: bytes, token: str) -> str:
    """The token that follows `token`: the same every time, so a retry can be answered alike.

    HMAC-SHA256 under a key the database does not hold, so a stolen dump of digests yields no token.
    """
    mac = hmac.digest(key, token.encode("utf-8", "surrogatepass"), "sha256")
    return base64url.encode(mac)


def constant_time_equal(a: bytes, b: bytes) -> bool:
    """Whether both are equal, without telling by its duration where they differ."""
    return hmac.compare_digest(a, b)
