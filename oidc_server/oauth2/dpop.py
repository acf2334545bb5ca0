"""DPoP proofs (RFC 9449): whoever sends a request shows that a key is theirs, once per proof."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from oidc_server.database import Transaction
from oidc_server.domain import used_jtis
from oidc_server.oauth2.assertions import is_jti
from oidc_server.oauth2.dpop_nonces import NONCE_LIFETIME, Nonces
from oidc_server.oauth2.errors import InvalidDpopProofError, UseDpopNonceError
from oidc_server.security import base64url, jose

ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
"""FAPI 2.0 Security Profile §5.4.1; of RSA signatures only those with PSS."""

_TYPE = "dpop+jwt"
_WINDOW = timedelta(seconds=60)
"""How far `iat` may be from now, on either side."""
_DEFAULT_PORTS = {"https": 443, "http": 80}
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified proof that still has to be claimed; `jkt` is the thumbprint of its key."""

    jkt: str
    jti: str
    url: str
    usable_from: datetime
    usable_until: datetime
    status: int

    def claim(self, db: Transaction) -> None:
        """Mark it as used, for all nodes (RFC 9449 §11.1).

        Raises `InvalidDpopProofError` for one that was used before.
        """
        owner = f"{self.jkt} {self.url}"
        times = {"usable_from": self.usable_from, "expires_at": self.usable_until}
        if not used_jtis.claim(db, "dpop", owner, self.jti, **times):
            raise InvalidDpopProofError("The DPoP proof was used before.", status_code=self.status)


class SentProof(NamedTuple):
    """What a request brought as proof, unread: its DPoP headers, its method, and its address.

    The address is the one that was sent, and not decoded; without query.
    """

    headers: tuple[str, ...]
    method: str
    url: str
    nonces: Nonces

    def verify(self, now: datetime, access_token: str | None = None) -> Proof | None:
        """The proof, or None if there is none (RFC 9449 §4.3).

        At resources, `access_token` is the token that the proof must be for. Raises
        `InvalidDpopProofError` or `UseDpopNonceError`.
        """
        if not self.headers:
            return None
        status = 400 if access_token is None else 401
        try:
            return self._verify(now, access_token, status)
        except ValueError as problem:
            text = f"The DPoP proof is not valid: {problem}."
            raise InvalidDpopProofError(text, status_code=status) from None

    def _verify(self, now: datetime, access_token: str | None, status: int) -> Proof:
        if len(self.headers) > 1:
            raise ValueError("more than one was sent")
        signed = jose.verify_embedded(self.headers[0], ALGORITHMS)
        if signed is None:
            raise ValueError("it is no JWT that is signed with the public key in its header")
        claims = signed.claims
        if signed.typ != _TYPE:
            raise ValueError(f"its typ is not {_TYPE}")
        if claims.get("htm") != self.method:
            raise ValueError("htm is not the method of the request")
        if not is_same_address(claims.get("htu"), self.url):
            raise ValueError("htu is not the address of the request")
        if access_token is not None and claims.get("ath") != hash_of(access_token):
            raise ValueError("ath is not the hash of the access token")
        jti = claims.get("jti")
        if not is_jti(jti):
            raise ValueError("jti is not a text of 1 to 256 characters")
        jkt = jose.thumbprint(signed.header["jwk"])
        # Normalised: else a used proof would be a new one at another spelling of the address.
        url = _ESCAPED.sub(_unescaped, self.url)
        return Proof(jkt, jti, url, *self._usable(claims, now, status), status)

    def _usable(
        self, claims: dict[str, Any], now: datetime, status: int
    ) -> tuple[datetime, datetime]:
        """The earliest time at which this proof can have been used, and when it expires.

        A nonce of ours tells its age, whatever the clock of the client says.
        """
        issued_at = claims.get("iat")
        if not isinstance(issued_at, int | float) or isinstance(issued_at, bool):
            raise ValueError("iat is not a number of seconds")  # noqa: TRY004 - wrong input
        if self.nonces.required:
            nonce = claims.get("nonce")
            since = self.nonces.known_since(nonce, now) if isinstance(nonce, str) else None
            if since is None:
                raise UseDpopNonceError(
                    "Use the nonce of the DPoP-Nonce header.", status_code=status
                )
            return since, now + NONCE_LIFETIME
        if not abs(issued_at - now.timestamp()) <= _WINDOW.total_seconds():
            raise ValueError("iat is too far from now")
        return datetime.fromtimestamp(issued_at, UTC) - _WINDOW, now + 2 * _WINDOW


def hash_of(access_token: str) -> str:
    """`ath`: the hash of an access token in base64url (RFC 9449 §4.2)."""
    return base64url.sha256(access_token.encode("utf-8"))


def is_same_address(htu: object, url: str) -> bool:
    """Whether `htu` means our address: without query and fragment (RFC 9449 §4.3).

    Both are compared as RFC 3986 §6.2.2 and §6.2.3 normalise them.
    """
    if not isinstance(htu, str):
        return False
    if htu == url:
        return True
    try:
        return _normalised(htu) == _normalised(url)
    except ValueError:
        return False


def _normalised(address: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(address)
    scheme, host = parts.scheme, parts.hostname
    if "@" in parts.netloc or not host or not address.isascii() or not address.isprintable():
        raise ValueError("not an address of an endpoint")
    port = parts.port or _DEFAULT_PORTS.get(scheme)
    return scheme, host, port, _ESCAPED.sub(_unescaped, parts.path or "/")


def _unescaped(found: re.Match[str]) -> str:
    char = chr(int(found[1], 16))
    return char if _UNRESERVED.fullmatch(char) else found[0].upper()
