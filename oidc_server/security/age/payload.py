"""The content of a file: chunks that can neither be changed, moved, left out nor cut off."""

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from oidc_server.security.age import header
from oidc_server.security.age.header import DamagedFileError
from oidc_server.security.age.keys import Key

_CHUNK = 64 * 1024
_TAG = 16
_FILE_KEY = 16
_NONCE = 16


def encrypt(content: Iterable[bytes], key: Key) -> Iterator[bytes]:
    """The bytes of a file that `key` opens, as they come; at most a chunk is in memory."""
    file_key, nonce = os.urandom(_FILE_KEY), os.urandom(_NONCE)
    yield header.make(file_key, key) + nonce
    cipher = _cipher(file_key, nonce)
    waiting, number = bytearray(), 0
    for piece in content:
        waiting += piece
        while len(waiting) > _CHUNK:  # the last chunk may be shorter, and is never empty
            yield cipher.encrypt(_counted(number), bytes(waiting[:_CHUNK]), None)
            del waiting[:_CHUNK]
            number += 1
    yield cipher.encrypt(_counted(number, last=True), bytes(waiting), None)


def decrypt(file: BinaryIO, key: Key) -> Iterator[bytes]:
    """The content, in authenticated pieces.

    Raises `WrongKeyError`, `DamagedFileError`; the latter at the end for a truncated file, so
    nothing is to be trusted before the last piece.
    """
    file_key = header.read(file, key)
    cipher = _cipher(file_key, file.read(_NONCE))
    chunk, number = file.read(_CHUNK + _TAG), 0
    while True:
        following = file.read(_CHUNK + _TAG)
        try:
            yield cipher.decrypt(_counted(number, last=not following), chunk, None)
        except InvalidTag:
            raise DamagedFileError("The backup was changed, or its end is missing.") from None
        if not following:
            return
        chunk, number = following, number + 1


def _cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(header.hkdf(file_key, nonce, b"payload"))


def _counted(number: int, *, last: bool = False) -> bytes:
    return number.to_bytes(11) + bytes([last])
