"""Tokens that we sign: written here, and read here (RFC 7515, RFC 7518, RFC 7519).

Writing is done by hand, in half the time of the library, since every hot path writes a token: the
header is made once per key and `typ`. Reading is joserfc's work behind our own checks,
and never raises: a token is good or it is None.
"""

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self, cast

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwk, jws
from joserfc.errors import JoseError

from oidc_server.security import base64url
from oidc_server.security.jose.reading import (
    Claims,
    Registry,
    media_type,
    parse_json_object,
    read_header,
)

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
"""What we sign with, the fastest first."""

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_ECDSA = ec.ECDSA(SHA256())
_PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)
_PKCS1 = padding.PKCS1v15()


class SigningKey:
    """A private key that is ready to sign: built once, used for every token."""

    def __init__(self, private_key: PrivateKey, alg: str) -> None:
        """ValueError if the key is too weak, or not one for `alg`."""
        self.alg = alg
        self._private_key = private_key
        self._sign = _signer(private_key, alg)
        public = _as_jwk(private_key).as_dict(private=False)
        self.kid = jwk.thumbprint({name: public[name] for name in public if name != "kid"})
        self._public_jwk = {**public, "use": "sig", "alg": alg, "kid": self.kid}
        self._heads: dict[str | None, bytes] = {}

    @classmethod
    def generate(cls, alg: str) -> Self:
        """A new key; its `kid` does not start with `-`, as options of commands do."""
        while (key := cls(_fresh(alg), alg)).kid.startswith("-"):
            pass
        return key

    @classmethod
    def from_private(cls, data: bytes, alg: str) -> Self:
        """The key that `private_der` wrote; ValueError if `data` is no key for `alg`."""
        # Checking an RSA key takes 40 ms; this one was checked when made, and is sealed at rest.
        key = serialization.load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
        return cls(cast(PrivateKey, key), alg)

    def private_der(self) -> bytes:
        """The private key in PKCS #8, unencrypted: seal it before it is stored."""
        return self._private_key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def public_jwk(self) -> dict[str, Any]:
        """What is published (RFC 7517); `kid` is the thumbprint of RFC 7638."""
        return dict(self._public_jwk)

    def sign(self, claims: Mapping[str, Any], typ: str | None = "JWT") -> str:
        """The claims as a compact JWS (RFC 7515 §7.1)."""
        head = self._heads.get(typ) or self._make_head(typ)
        message = head + base64url.encode_to_bytes(
            orjson.dumps(claims, option=orjson.OPT_PASSTHROUGH_DATETIME)
        )
        return (message + b"." + base64url.encode_to_bytes(self._sign(message))).decode("ascii")

    def _make_head(self, typ: str | None) -> bytes:
        header = {"alg": self.alg, "kid": self.kid} | ({} if typ is None else {"typ": typ})
        head = self._heads[typ] = base64url.encode_to_bytes(orjson.dumps(header)) + b"."
        return head


class VerificationKeys:
    """The public keys a token may be signed with: ours, active and retiring."""

    def __init__(self, public_jwks: Iterable[Mapping[str, Any]]) -> None:
        """Each JWK has `kid` and `alg`. Of keys with the same `kid` none is used."""
        self._keys: dict[object, tuple[str, jwk.Key]] = {}
        seen: set[str] = set()
        for public in public_jwks:
            kid, alg = str(public["kid"]), str(public["alg"])
            self._keys.pop(kid, None)
            if kid not in seen:
                self._keys[kid] = (alg, jwk.import_key(dict(public)))
            seen.add(kid)

    def verify(
        self,
        token: str,
        *,
        typ: str | Collection[str],
        issuer: str,
        algorithms: Collection[str] = ALGORITHMS,
        now: datetime | None = None,
        leeway: timedelta = timedelta(),
    ) -> Claims | None:
        """The claims of a token with one of these keys, types and algorithms, from `issuer`.

        None for everything else. With `now`, the token must also be valid at that time; without,
        the caller asks `is_current`. The audience is the caller's to check.
        """
        try:
            claims = self._read(token, {typ} if isinstance(typ, str) else typ, algorithms)
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        if claims.get("iss") != issuer or (now and not is_current(claims, now, leeway)):
            return None
        return claims

    def _read(self, token: str, types: Collection[str], algorithms: Collection[str]) -> Claims:
        header = read_header(token)
        if media_type(header.get("typ")) not in {media_type(typ) for typ in types}:
            raise ValueError("of another type")
        alg, key = self._keys.get(header.get("kid"), ("", None))
        # The key says which algorithm it is for; the token may only agree (RFC 8725 §3.1).
        if key is None or alg not in algorithms or header.get("alg") != alg:
            raise ValueError("no key for it")
        signed = jws.deserialize_compact(token.encode("ascii"), key, registry=Registry([alg]))
        return parse_json_object(signed.payload or b"")


def _fresh(alg: str) -> PrivateKey:
    """RSA keys have 2048 bits, as RFC 7518 §3.3 requires at least."""
    match alg:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "RS256" | "PS256":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
    raise ValueError(f"{alg} is not an algorithm we sign with")


def is_current(claims: Claims, now: datetime, leeway: timedelta = timedelta()) -> bool:
    """Whether `exp` is there and not over, and `nbf` is past (RFC 7519 §4.1.4, §4.1.5)."""
    seconds, slack = now.timestamp(), leeway.total_seconds()
    exp, nbf = _number(claims.get("exp")), _number(claims.get("nbf", 0))
    return nbf - slack <= seconds < exp + slack


def half_hash(alg: str, value: str) -> str:
    """`at_hash` and its relatives: the left half of the hash that `alg` uses (Core §3.1.3.6)."""
    # Ed25519 hashes with SHA-512 inside; the others of ours end in 256.
    full = (hashlib.sha512 if alg == "EdDSA" else hashlib.sha256)(value.encode("ascii")).digest()
    return base64url.encode(full[: len(full) // 2])


def _signer(key: PrivateKey, alg: str) -> Callable[[bytes], bytes]:
    """Message → signature as JWS wants it."""
    match alg, key:
        case "ES256", ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return lambda message: _raw_signature(key.sign(message, _ECDSA))
        case (("RS256" | "PS256"), rsa.RSAPrivateKey()) if key.key_size >= 2048:
            scheme = _PKCS1 if alg == "RS256" else _PSS
            return lambda message: key.sign(message, scheme, SHA256())
        case "EdDSA", ed25519.Ed25519PrivateKey():
            return key.sign
    raise ValueError(f"not a key for {alg}")


def _raw_signature(der: bytes) -> bytes:
    """R || S in 32 bytes each (RFC 7518 §3.4), cut out of the DER that OpenSSL gives.

    `30 len 02 n R… 02 m S…`, where R and S may have a leading zero or be shorter than 32 bytes.
    """
    n = der[3]
    return der[4 : 4 + n][-32:].rjust(32, b"\0") + der[6 + n :][-32:].rjust(32, b"\0")


def _as_jwk(key: PrivateKey) -> jwk.Key:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return jwk.ECKey.import_key(key)
    if isinstance(key, rsa.RSAPrivateKey):
        return jwk.RSAKey.import_key(key)
    return jwk.OKPKey.import_key(key)


def _number(value: object) -> float:
    """A NumericDate; for anything else NaN, which compares false with every time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return math.nan
