"""The header of a file: its own key, wrapped for whoever may open it."""

import base64
import binascii
import hmac
import os
import re
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from oidc_server.security.age.keys import Identity, Key, Passphrase, Recipient

_VERSION = b"age-encryption.org/v1\n"
_SCRYPT = b"age-encryption.org/v1/scrypt"
_X25519 = b"age-encryption.org/v1/X25519"
_WORK = 18
"""The cost of scrypt, as age has it: 256 MiB and about a second for each guess."""
_MOST_WORK = 20
_NONCE = bytes(12)
"""Zero: each wrapping key is used once."""
_LONGEST_LINE = 4096
_MOST_LINES = 200
_STANZA = re.compile(
    rb"^-> (?P<kind>scrypt|X25519) (?P<given>[A-Za-z0-9+/]+)(?: (?P<work>[1-9][0-9]?))?\n"
    rb"(?P<body>[A-Za-z0-9+/]{43}\n)",
    re.MULTILINE,
)
_CHANGED = "The backup was changed: its header is not what it was."


class WrongKeyError(OSError):
    """The file was encrypted for another key, or with another passphrase."""


class DamagedFileError(OSError):
    """The file is no encrypted one, was changed, or ends too early."""


def make(file_key: bytes, key: Key) -> bytes:
    """The header of a new file."""
    if isinstance(key, Passphrase):
        salt = os.urandom(16)
        stanza = b"-> scrypt %s %d\n" % (_text(salt), _WORK)
        wrapping = _from_passphrase(key, salt, _WORK)
    else:
        recipient = key.recipient() if isinstance(key, Identity) else key
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        stanza = b"-> X25519 %s\n" % _text(share)
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient.public))
        wrapping = hkdf(shared, share + recipient.public, _X25519)
    body = ChaCha20Poly1305(wrapping).encrypt(_NONCE, file_key, None)
    head = _VERSION + stanza + _text(body) + b"\n---"
    return head + b" " + _text(_mac(file_key, head)) + b"\n"


def read(file: BinaryIO, key: Key) -> bytes:
    """The key of a file, whose header is read; raises `WrongKeyError`, `DamagedFileError`."""
    if _line(file) != _VERSION:
        raise DamagedFileError("This is no encrypted backup.")
    lines = [_line(file)]
    while not lines[-1].startswith(b"---"):
        lines.append(_line(file))
        if len(lines) > _MOST_LINES:
            raise DamagedFileError(_CHANGED)
    closing = lines.pop()
    file_key = _unwrap(b"".join(lines), key)
    head = _VERSION + b"".join(lines) + b"---"
    if not hmac.compare_digest(_bytes(closing.removeprefix(b"--- ")), _mac(file_key, head)):
        raise DamagedFileError(_CHANGED)
    return file_key


def _unwrap(stanzas: bytes, key: Key) -> bytes:
    """The key of the file, from the stanza of our kind; others are skipped."""
    stanza = _STANZA.search(stanzas)
    if stanza is None:
        raise WrongKeyError("The backup was encrypted in a way that is not known here.")
    wrapping = _wrapping_key(stanza, key)
    try:
        return ChaCha20Poly1305(wrapping).decrypt(_NONCE, _bytes(stanza["body"]), None)
    except InvalidTag:
        what = "passphrase" if isinstance(key, Passphrase) else "key"
        raise WrongKeyError(f"The {what} is not the one of this backup.") from None


def _wrapping_key(stanza: re.Match[bytes], key: Key) -> bytes:
    given = _bytes(stanza["given"])
    match key:
        case Recipient():
            raise WrongKeyError("This public key only writes backups; opening takes the private.")
        case Passphrase() if stanza["kind"] == b"scrypt":
            work = int(stanza["work"] or 0)
            if not 0 < work <= _MOST_WORK:
                raise DamagedFileError("The backup asks for more work than any of ours.")
            return _from_passphrase(key, given, work)
        case Identity() if stanza["kind"] == b"X25519" and len(given) == 32:
            private = X25519PrivateKey.from_private_bytes(key.private)
            shared = private.exchange(X25519PublicKey.from_public_bytes(given))
            return hkdf(shared, given + key.recipient().public, _X25519)
    opens = "a passphrase" if stanza["kind"] == b"scrypt" else "a private key"
    raise WrongKeyError(f"The backup opens with {opens}.")


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """RFC 5869, 32 bytes."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt or None, info=info).derive(secret)


def _from_passphrase(key: Passphrase, salt: bytes, work: int) -> bytes:
    kdf = Scrypt(salt=_SCRYPT + salt, length=32, n=1 << work, r=8, p=1)
    return kdf.derive(key.text.encode("utf-8"))


def _mac(file_key: bytes, head: bytes) -> bytes:
    return hmac.digest(hkdf(file_key, b"", b"header"), head, "sha256")


def _line(file: BinaryIO) -> bytes:
    line = file.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise DamagedFileError("This is no encrypted backup, or it ends too early.")
    return line


def _text(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    text = text.removesuffix(b"\n")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise DamagedFileError(_CHANGED) from None
