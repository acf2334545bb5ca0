"""What opens a file: a passphrase, or a pair of keys of which writing needs the public one only."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

_SHORTEST_PASSPHRASE = 15
"""Characters. A stolen file can be guessed at for years, with nobody to count the guesses."""
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


@dataclass(frozen=True)
class Passphrase:
    """Words that a person knows."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class Recipient:
    """The public half of a pair (`age1…`): it writes files and opens none."""

    public: bytes


@dataclass(frozen=True)
class Identity:
    """The private half of a pair (`AGE-SECRET-KEY-1…`)."""

    private: bytes = field(repr=False)

    def recipient(self) -> Recipient:
        key = X25519PrivateKey.from_private_bytes(self.private)
        return Recipient(key.public_key().public_bytes_raw())


Key = Passphrase | Recipient | Identity


def parse_key(text: str) -> Key:
    """A key as an operator keeps it: the file of `age-keygen`, its public line, or a passphrase.

    Raises `ValueError` with words for whoever wrote it.
    """
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if line and not line.startswith("#")]
    if len(told) != 1:
        raise ValueError("write one key or one passphrase, on one line")
    (key,) = told
    if key.startswith("age1"):
        return Recipient(_decode(key, "age"))
    if key.upper().startswith("AGE-SECRET-KEY-1"):
        return Identity(_decode(key.lower(), "age-secret-key-"))
    if len(key) < _SHORTEST_PASSPHRASE:
        raise ValueError(f"a passphrase needs {_SHORTEST_PASSPHRASE} characters, such as words")
    return Passphrase(key)


def _decode(text: str, prefix: str) -> bytes:
    """The 32 bytes of a key in Bech32 (BIP 173)."""
    found, _, data = text.rpartition("1")
    digits = [_ALPHABET.find(character) for character in data]
    spread = [ord(char) >> 5 for char in found] + [0] + [ord(char) & 31 for char in found]
    if found != prefix or -1 in digits or _checksum([*spread, *digits]) != 1:
        raise ValueError("this begins like a key of age, and is none: a character may be wrong")
    value = 0
    for digit in digits[:-6]:
        value = value << 5 | digit
    bits = 5 * len(digits[:-6])
    if bits // 8 != 32 or value & ((1 << bits % 8) - 1):
        raise ValueError("this is no key for files")
    return (value >> bits % 8).to_bytes(32)


def _checksum(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, polynomial in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= polynomial
    return check
