"""One public key of somebody else (RFC 7517 §4), imported strictly: what is odd is refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError

from oidc_server.security import base64url

_MAX_KID = 256
_RSA_BITS = (2048, 4096)
_EXPONENTS = (65_537, 2**32)
_COORDINATES = {"P-256": 43, "P-384": 64, "P-521": 88, "Ed25519": 43}
"""Characters of one coordinate (RFC 7518 §6.2.1.2, RFC 8037 §2)."""
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_SIGNING_OPS = frozenset({"verify"})
_ENCRYPTING_OPS = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})

SIGNATURE_ALGORITHMS = {
    "RS256": "RSA",
    "PS256": "RSA",
    "ES256": "P-256",
    "EdDSA": "Ed25519",
    "Ed25519": "Ed25519",  # RFC 9864 §2.2: the same under its new name
}
"""What others may sign with, and the kind of key that it takes."""
_CURVES = ("P-256", "P-384", "P-521")
_ENCRYPTION_KINDS = {"RSA-OAEP": ("RSA",), "RSA-OAEP-256": ("RSA",)}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and what its owner said that it is for; `kind` is `RSA` or the name of a curve."""

    kind: str
    kid: str | None
    use: str | None
    alg: str | None
    key_ops: frozenset[str] | None
    key: jwk.Key

    def verifies(self, alg: str) -> bool:
        """Whether it may verify signatures made with `alg` (RFC 8725 §3.1)."""
        return (
            SIGNATURE_ALGORITHMS.get(alg) == self.kind
            and self.use in (None, "sig")
            and (self.key_ops is None or bool(self.key_ops & _SIGNING_OPS))
            and (self.alg is None or _modern(self.alg) == _modern(alg))
        )

    def encrypts(self, alg: str) -> bool:
        """Whether one may encrypt to it with `alg`."""
        return (
            self.kind in _ENCRYPTION_KINDS.get(alg, _CURVES)
            and self.use in (None, "enc")
            and (self.key_ops is None or bool(self.key_ops & _ENCRYPTING_OPS))
            and self.alg in (None, alg)
        )


def import_public(member: object) -> PublicKey | None:
    """A public key, or None for one of a kind that we do not know (RFC 7517 §5).

    ValueError for private and symmetric keys, for weak ones, and for what is no key.
    """
    if not isinstance(member, dict):
        raise ValueError("a key is not a JSON object")  # noqa: TRY004 - wrong input
    if _PRIVATE & member.keys():
        raise ValueError("a key is private or symmetric")
    kind = member.get("kty") if member.get("kty") == "RSA" else member.get("crv")
    match member.get("kty"), kind:
        case "RSA", _:
            material = _rsa(member)
        case "EC", ("P-256" | "P-384" | "P-521"):
            material = _coordinates(member, ("x", "y"))
        case "OKP", "Ed25519":
            material = _coordinates(member, ("x",))
        case str(), _:
            return None
        case _:
            raise ValueError("a key has no kty")
    try:
        key = jwk.import_key({"kty": str(member["kty"]), **material})
    except (JoseError, ValueError, TypeError):
        raise ValueError("a key cannot be read") from None
    kid, use, alg = (_text(member, name) for name in ("kid", "use", "alg"))
    return PublicKey(str(kind), kid, use, alg, _operations(member), key)


def _rsa(member: Mapping[str, Any]) -> dict[str, str]:
    n, e = _integer(member, "n"), _integer(member, "e")
    if not _RSA_BITS[0] <= n.bit_length() <= _RSA_BITS[1]:
        raise ValueError(f"an RSA key has {_RSA_BITS[0]} to {_RSA_BITS[1]} bits")
    if not (_EXPONENTS[0] <= e < _EXPONENTS[1] and e % 2 and n % 2):
        raise ValueError("an RSA key has an unusual exponent or modulus")
    return {"n": member["n"], "e": member["e"]}


def _integer(member: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(base64url.decode(_encoded(member, name)))


def _coordinates(member: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    curve = str(member["crv"])
    values = {name: _encoded(member, name) for name in names}
    if any(len(value) != _COORDINATES[curve] for value in values.values()):
        raise ValueError("a coordinate has the wrong length")
    return {"crv": curve, **values}


def _encoded(member: Mapping[str, Any], name: str) -> str:
    value = member.get(name)
    # The longest number we take has 4096 bits, which are 683 characters.
    if not isinstance(value, str) or len(value) > 700 or not _BASE64URL.fullmatch(value):
        raise ValueError(f"{name} of a key is not base64url")
    return value


def _text(member: Mapping[str, Any], name: str) -> str | None:
    value = member.get(name)
    if value is not None and not (isinstance(value, str) and 1 <= len(value) <= _MAX_KID):
        raise ValueError(f"{name} of a key is not a short text")
    return value


def _operations(member: Mapping[str, Any]) -> frozenset[str] | None:
    value = member.get("key_ops")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("key_ops of a key is not a list of words")
    return frozenset(value)


def _modern(alg: str) -> str:
    return "Ed25519" if alg == "EdDSA" else alg
