"""Hashes that other systems made, in the spellings of those systems: they verify, once.

The sign-in that proves one replaces it by Argon2id. Each spelling says its own costs, so those are
bounded here: a file that is imported must not make every sign-in take minutes. Until that sign-in
the time of a wrong guess is that of the other system, and tells that there is such an account.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import NamedTuple

_MAX_PBKDF2_ROUNDS = 5_000_000
_MAX_SCRYPT_MEMORY = 256 * 1024 * 1024
_MAX_BCRYPT_COST = 16
_BCRYPT_TAKES = 72
"""Bytes of a password that bcrypt reads; the systems these hashes come from cut it there too."""
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}"
)
_MAX_ARGON2_KIB = 1_048_576
_SHAPES = "bcrypt, PBKDF2, scrypt or Argon2 as Django, passlib, Werkzeug or PHP write them"


class UnknownHashError(ValueError):
    """This is no hash that could be verified here."""

    def __init__(self, reason: str = f"write {_SHAPES}") -> None:
        super().__init__(f"The hash of a password cannot be taken: {reason}.")


class _Hash(NamedTuple):
    """What is stored, and how to make the same of a password."""

    expected: bytes
    derive: Callable[[bytes], bytes]


def check_importable(encoded: str) -> str:
    """The hash as it is to be stored; raises `UnknownHashError`."""
    plain = encoded.strip().removeprefix("argon2$").removeprefix("bcrypt$")
    if plain.startswith("argon2"):
        plain = f"${plain}"
    found = _ARGON2.fullmatch(plain)
    if found is None:
        _parse(plain)
    elif int(found[1]) > _MAX_ARGON2_KIB:
        raise UnknownHashError("its costs are too high")
    return plain


def verify(encoded: str, password: bytes) -> bool:
    """Whether this password made a hash of another system; raises `UnknownHashError`."""
    stored = _parse(encoded)
    return hmac.compare_digest(stored.derive(password), stored.expected)


def _parse(encoded: str) -> _Hash:
    for pattern, read in _READERS:
        found = pattern.fullmatch(encoded)
        if found is not None:
            return read(found)
    raise UnknownHashError


def _bcrypt(found: re.Match[str]) -> _Hash:
    """`$2b$12$…` of PHP and most others; `bcrypt_sha256$$2b$…` of Django hashes a digest."""
    encoded = found["hash"].encode("ascii")
    if not 4 <= int(found["cost"]) <= _MAX_BCRYPT_COST:
        raise UnknownHashError("its costs are too high")

    def derive(password: bytes) -> bytes:
        import bcrypt  # noqa: PLC0415 - few servers have such hashes

        if found["digest"]:
            password = hashlib.sha256(password).hexdigest().encode("ascii")
        return bcrypt.hashpw(password[:_BCRYPT_TAKES], encoded)

    return _Hash(encoded, derive)


def _pbkdf2(found: re.Match[str]) -> _Hash:
    rounds = int(found["rounds"])
    if not 1 <= rounds <= _MAX_PBKDF2_ROUNDS:
        raise UnknownHashError("its costs are too high")
    name, salt, expected = found["name"] or "sha1", _salt(found), _digest(found)
    return _Hash(
        expected,
        lambda secret: hashlib.pbkdf2_hmac(name, secret, salt, rounds, len(expected)),
    )


def _scrypt(found: re.Match[str]) -> _Hash:
    parts = found.groupdict()
    n = 1 << int(parts["log"]) if parts.get("log") else int(parts["n"])
    r, p = int(parts["r"]), int(parts["p"])
    # RFC 7914 §2: N is a power of two; what it takes is 128 · N · r bytes.
    if n < 2 or n & (n - 1) or not 1 <= r <= 64 or not 1 <= p <= 16:
        raise UnknownHashError("its parameters are none of scrypt")
    if 128 * n * r > _MAX_SCRYPT_MEMORY:
        raise UnknownHashError("its costs are too high")
    salt, expected = _salt(found), _digest(found)
    memory = 2 * _MAX_SCRYPT_MEMORY

    def derive(password: bytes) -> bytes:
        return hashlib.scrypt(
            password, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=len(expected)
        )

    return _Hash(expected, derive)


def _salt(found: re.Match[str]) -> bytes:
    """Some keep the salt as text that is hashed as it stands, passlib encodes it."""
    return _decoded(found["salt"]) if found.string.startswith("$") else found["salt"].encode()


def _digest(found: re.Match[str]) -> bytes:
    text = found["digest"]
    digest = bytes.fromhex(text) if ":" in found.string[:7] else _decoded(text)
    if not 16 <= len(digest) <= 128:
        raise UnknownHashError("its digest is too short or too long")
    return digest


def _decoded(text: str) -> bytes:
    """Base64 with and without its padding, and with passlib's `.` for `+`."""
    text = text.replace(".", "+").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise UnknownHashError("it is cut off") from None


_BASE64 = r"[A-Za-z0-9+/.]+={0,2}"
_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Hash]], ...] = tuple(
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (
            (
                r"(?P<digest>bcrypt_sha256\$)?"
                r"(?P<hash>\$2[aby]\$(?P<cost>\d\d)\$[./A-Za-z0-9]{53})"
            ),
            _bcrypt,
        ),
        # passlib: $pbkdf2-sha256$29000$salt$digest
        (
            (
                r"\$pbkdf2(?:-(?P<name>sha256|sha512))?\$(?P<rounds>\d{1,9})"
                rf"\$(?P<salt>{_BASE64})\$(?P<digest>{_BASE64})"
            ),
            _pbkdf2,
        ),
        # Django: pbkdf2_sha256$870000$salt$digest
        (
            (
                r"pbkdf2_(?P<name>sha1|sha256)\$(?P<rounds>\d{1,9})"
                rf"\$(?P<salt>[^$\s]{{1,64}})\$(?P<digest>{_BASE64})"
            ),
            _pbkdf2,
        ),
        # Werkzeug: pbkdf2:sha256:1000000$salt$hexadecimal
        (
            (
                r"pbkdf2:(?P<name>sha1|sha256|sha512):(?P<rounds>\d{1,9})"
                r"\$(?P<salt>[^$\s]{1,64})\$(?P<digest>(?:[0-9a-f]{2})+)"
            ),
            _pbkdf2,
        ),
        # passlib: $scrypt$ln=16,r=8,p=1$salt$digest
        (
            (
                r"\$scrypt\$ln=(?P<log>\d{1,2}),r=(?P<r>\d{1,2}),p=(?P<p>\d{1,2})"
                rf"\$(?P<salt>{_BASE64})\$(?P<digest>{_BASE64})"
            ),
            _scrypt,
        ),
        # Django: scrypt$16384$salt$8$1$digest
        (
            (
                r"scrypt\$(?P<n>\d{1,8})\$(?P<salt>[^$\s]{1,64})\$(?P<r>\d{1,2})\$(?P<p>\d{1,2})"
                rf"\$(?P<digest>{_BASE64})"
            ),
            _scrypt,
        ),
        # Werkzeug: scrypt:32768:8:1$salt$hexadecimal
        (
            (
                r"scrypt:(?P<n>\d{1,8}):(?P<r>\d{1,2}):(?P<p>\d{1,2})"
                r"\$(?P<salt>[^$\s]{1,64})\$(?P<digest>(?:[0-9a-f]{2})+)"
            ),
            _scrypt,
        ),
    )
)
