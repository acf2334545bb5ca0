"""Values of mailed links: a random id and a MAC over it (itsdangerous).

The database knows the id, only the server knows the MAC's key: neither a stolen dump nor a guessed
id opens a link. Expiry and single use belong to the row behind the id, and so do the few guesses at
the code that may be typed instead of a link: it is another MAC, cut down to eight digits.
"""

import hmac
import re
from hashlib import sha256

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

_LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_CODE_LENGTH = 8
_SIGNED = re.compile(r"[A-Za-z0-9_-]{1,128}\.([A-Za-z0-9_-]{43})")


class LinkSigner:
    """Signs with the first secret and accepts all of them, so that secrets can be rotated."""

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        if not secret_keys:
            raise ValueError("signing links needs a secret")
        # itsdangerous takes the oldest key first and signs with the last.
        self._secret_keys = [key.encode("utf-8") for key in reversed(secret_keys)]

    def sign(self, purpose: str, link_id: str) -> str:
        """The URL-safe value to mail; a value signed for one purpose is void for every other."""
        if not _LINK_ID.fullmatch(link_id):
            raise ValueError("a link id consists of letters, digits, '-' and '_'")
        return self._signer(purpose).sign(link_id).decode("ascii")

    def read(self, purpose: str, value: str) -> str | None:
        """The link id inside, or None if the value was not signed here for this purpose."""
        match = _SIGNED.fullmatch(value)
        # One spelling per link: base64 would also take other letters for the unused last bits.
        if match is None or base64_encode(base64_decode(match[1])) != match[1].encode("ascii"):
            return None
        try:
            return self._signer(purpose).unsign(value).decode("ascii")
        except BadSignature:
            return None

    def code(self, purpose: str, link_id: str) -> str:
        """The digits to mail beside a link, as people read them: in two groups."""
        digits = _code(self._secret_keys[-1], purpose, link_id)
        return f"{digits[:4]} {digits[4:]}"

    def is_code(self, purpose: str, link_id: str, typed: str) -> bool:
        """Whether these are the digits of a link, however they are grouped."""
        digits = "".join(char for char in typed[:40] if char not in " -\u00a0").encode()
        # A list: every secret takes its time, whichever is right.
        same = [
            hmac.compare_digest(_code(key, purpose, link_id).encode(), digits)
            for key in self._secret_keys
        ]
        return any(same)

    def _signer(self, purpose: str) -> Signer:
        return Signer(
            self._secret_keys,
            salt=f"oidc-server/link/{purpose}".encode(),
            key_derivation="hmac",
            digest_method=sha256,
        )


def _code(key: bytes, purpose: str, link_id: str) -> str:
    mac = hmac.digest(key, f"oidc-server/code/{purpose}/{link_id}".encode(), "sha256")
    return f"{int.from_bytes(mac) % 10**_CODE_LENGTH:0{_CODE_LENGTH}}"
