"""JWTs that others sign: client assertions, request objects, DPoP proofs (RFC 7515 §5.2).

The key comes from what we know of the signer, never from the token; which algorithms it may use is
said by the caller and again by the key. Public keys and secrets never meet: they have functions of
their own, so that nobody can pass off a published key as an HMAC secret (RFC 8725 §2.1).
"""

import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from oidc_server.security import base64url
from oidc_server.security.jose.encryption import encrypt_to
from oidc_server.security.jose.public_keys import PublicKey, import_public
from oidc_server.security.jose.reading import (
    Claims,
    Registry,
    media_type,
    parse_json_object,
    read_header,
)

_MAX_KEYS = 20
_KEYS_INSIDE = ("jwk", "jku", "x5c", "x5u")


@dataclass(frozen=True, slots=True)
class Signed:
    """A token whose signature was verified. Whether its claims are good is the caller's to see."""

    header: dict[str, Any]
    claims: Claims

    @property
    def typ(self) -> str | None:
        """The `typ` of its header (RFC 8725 §3.11): a media type, or None without one."""
        return (media_type(self.header["typ"]) or "") if "typ" in self.header else None


class ClientKeys:
    """The public keys of one client (RFC 7517 §5)."""

    def __init__(self, document: object) -> None:
        """ValueError, with a text for the client's developer, for an invalid set."""
        members = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(members, list):
            raise ValueError("this is no JWK set")  # noqa: TRY004 - wrong input, not a wrong call
        if len(members) > _MAX_KEYS:
            raise ValueError(f"there are more than {_MAX_KEYS} keys")
        found = [import_public(member) for member in members]
        self._keys = tuple(key for key in found if key is not None)
        kids = [key.kid for key in self._keys if key.kid is not None]
        if len(set(kids)) != len(kids):
            raise ValueError("two keys have the same kid")

    def __len__(self) -> int:
        return len(self._keys)

    def verify(self, token: str, algorithms: Collection[str]) -> Signed | None:
        """The token, if one of these keys signed it with one of the algorithms; else None."""
        try:
            header = read_header(token)
            if any(name in header for name in _KEYS_INSIDE):
                return None
            fitting = self._fitting(header, algorithms)
        except (ValueError, TypeError, RecursionError):
            return None
        return next(
            (signed for key in fitting if (signed := _verify(token, header, key)) is not None), None
        )

    def encrypt(self, token: str, *, alg: str, enc: str, nested: bool = True) -> str:
        """A token encrypted to the client (RFC 7519 §5.2); ValueError without a key for it.

        A key that is published for encryption is preferred to one for everything.
        """
        fitting = sorted(
            (key for key in self._keys if key.encrypts(alg)), key=lambda key: key.use != "enc"
        )
        if not fitting:
            raise ValueError(f"the client has no key for {alg}")
        return encrypt_to(fitting[0], token, alg=alg, enc=enc, nested=nested)

    def _fitting(self, header: dict[str, Any], algorithms: Collection[str]) -> list[PublicKey]:
        alg = _allowed_algorithm(header, algorithms)
        keys: Iterable[PublicKey] = self._keys
        if "kid" in header:
            keys = (key for key in keys if key.kid is not None and key.kid == header["kid"])
        return [key for key in keys if key.verifies(alg)]


def verify_embedded(token: str, algorithms: Collection[str]) -> Signed | None:
    """A token that proves possession of the key in its own header, as DPoP has it (RFC 9449 §4.2).

    It does not say whose key that is: the caller compares the thumbprint.
    """
    try:
        header = read_header(token)
        if any(name in header for name in ("jku", "x5c", "x5u")):
            return None
        alg = _allowed_algorithm(header, algorithms)
        key = import_public(header.get("jwk"))
    except (ValueError, TypeError, RecursionError):
        return None
    return _verify(token, header, key) if key is not None and key.verifies(alg) else None


def verify_hmac(
    token: str, secrets: Iterable[bytes], algorithms: Collection[str] = ("HS256",)
) -> Signed | None:
    """The token, if it was signed with HS256 and one of these secrets; else None.

    The secrets are those we gave out ourselves; every one is compared, in constant time.
    """
    try:
        header = read_header(token)
        if _allowed_algorithm(header, algorithms) != "HS256":
            return None
        message, dot, signature = token.encode("ascii").rpartition(b".")
        if message.count(b".") != 1 or not dot:
            return None
        good = False
        for secret in secrets:
            good |= hmac.compare_digest(
                base64url.encode_to_bytes(hmac.digest(secret, message, "sha256")), signature
            )
        if not good:
            return None
        payload = message.decode("ascii").partition(".")[2]
        return Signed(header, parse_json_object(base64url.decode(payload)))
    except (ValueError, TypeError, RecursionError):
        return None


def peek(token: str) -> Claims | None:
    """The unverified claims of a compact JWS, to find out whose keys to use."""
    try:
        read_header(token)
        head, payload, signature = token.split(".")
        return parse_json_object(base64url.decode(payload)) if head and signature else None
    except (ValueError, RecursionError):
        return None


def _allowed_algorithm(header: dict[str, Any], algorithms: Collection[str]) -> str:
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algorithms:
        raise ValueError("not an algorithm for this")
    return alg


def _verify(token: str, header: dict[str, Any], key: PublicKey) -> Signed | None:
    try:
        registry = Registry([header["alg"]])
        signed = jws.deserialize_compact(token.encode("ascii"), key.key, registry=registry)
        return Signed(header, parse_json_object(signed.payload or b""))
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
