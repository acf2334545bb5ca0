"""Secrets at rest: AES-256-GCM under keys derived from the server's secrets, one key per purpose.

A sealed value is `version (1) | key id (4) | nonce (12) | ciphertext and tag`. The key id says
which secret sealed it, so that a new first secret leaves older values readable.
"""

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_KEY_ID_SIZE = 4
_NONCE_SIZE = 12
_HEADER_SIZE = len(_VERSION) + _KEY_ID_SIZE


class UnsealError(Exception):
    """The value was not sealed with any of our secrets for this purpose and row, or was changed."""


class Vault:
    """Seals with the first secret and opens with all of them."""

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        if not secret_keys:
            raise ValueError("a vault needs a secret")
        self._secrets = tuple(key.encode("utf-8") for key in secret_keys)
        self._key_ids = tuple(_hkdf(secret, "key-id", _KEY_ID_SIZE) for secret in self._secrets)
        self._cipher = cache(self._make_cipher)

    def seal(self, purpose: str, plaintext: bytes, bound_to: bytes) -> bytes:
        """Encrypt for `purpose`; `bound_to` (the row's id) must be given again to open it."""
        header = _VERSION + self._key_ids[0]
        nonce = os.urandom(_NONCE_SIZE)
        cipher = self._cipher(purpose, 0)
        return header + nonce + cipher.encrypt(nonce, plaintext, header + bound_to)

    def open(self, purpose: str, sealed: bytes, bound_to: bytes) -> bytes:
        """Decrypt what `seal` returned for the same purpose and row, or raise UnsealError."""
        header, nonce = sealed[:_HEADER_SIZE], sealed[_HEADER_SIZE : _HEADER_SIZE + _NONCE_SIZE]
        if header[:1] != _VERSION or len(nonce) < _NONCE_SIZE:
            raise UnsealError("not a sealed value")
        for index, key_id in enumerate(self._key_ids):
            if key_id != header[1:]:
                continue
            try:
                body = sealed[_HEADER_SIZE + _NONCE_SIZE :]
                return self._cipher(purpose, index).decrypt(nonce, body, header + bound_to)
            except InvalidTag:
                continue
        raise UnsealError(f"no secret of ours opens this value for {purpose!r}")

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for `purpose`, from the first secret."""
        return self.derive_all(purpose)[0]

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """The keys for `purpose` from every secret, the one to write with first."""
        return tuple(_hkdf(secret, f"derive/{purpose}", 32) for secret in self._secrets)

    def _make_cipher(self, purpose: str, index: int) -> AESGCM:
        return AESGCM(_hkdf(self._secrets[index], f"seal/{purpose}", 32))


def _hkdf(secret: bytes, info: str, length: int) -> bytes:
    """RFC 5869; the secret has at least 32 characters, so it needs no slow derivation."""
    context = f"oidc-server/{info}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=context).derive(secret)
