"""DPoP proofs as clients make them, with another library than the server's, good and bad ones."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.factories import App
from tests.relying_party import Reachable, RelyingParty
from tests.site import Site

ALGORITHMS = ("ES256", "PS256", "EdDSA")


class Key:
    """A key pair of a client; `proof` signs with it."""

    def __init__(self, alg: str = "ES256") -> None:
        self.alg = alg
        self._private: Any
        if alg == "ES256":
            self._private = ec.generate_private_key(ec.SECP256R1())
            self.private_jwk = ECAlgorithm.to_jwk(self._private, as_dict=True)
        elif alg == "EdDSA":
            self._private = ed25519.Ed25519PrivateKey.generate()
            self.private_jwk = OKPAlgorithm.to_jwk(self._private, as_dict=True)
        else:
            self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self.private_jwk = RSAAlgorithm.to_jwk(self._private, as_dict=True)
        kept = ("kty", "crv", "x", "y", "n", "e")
        self.public_jwk = {
            name: self.private_jwk[name] for name in kept if name in self.private_jwk
        }

    @property
    def jkt(self) -> str:
        """RFC 7638."""
        text = json.dumps(self.public_jwk, sort_keys=True, separators=(",", ":"))
        return encoded(hashlib.sha256(text.encode()).digest())

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any]) -> str:
        """A JWT with these claims and headers, whatever they are; None leaves one out."""
        left = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(left, self._private, self.alg, headers=dict(headers))


@dataclass(frozen=True)
class Proofs:
    """Makes the proofs of one client for one server."""

    issuer: str
    now: Any
    key: Key

    def make(
        self,
        method: str = "POST",
        path: str = "/token",
        access_token: str | None = None,
        *,
        headers: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A good proof, but for the `changes` of claims and headers."""
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": self.issuer + path,
            "iat": int(self.now()),
            "ath": None if access_token is None else ath(access_token),
            **changes,
        }
        head = {"typ": "dpop+jwt", "jwk": self.key.public_jwk, **(headers or {})}
        return self.key.sign(claims, head)


class ProvingParty(RelyingParty):
    """A client that proves its key at the endpoints `proving`, and wherever it shows a token.

    `dpop_nonce` goes into each proof.
    """

    def __init__(self, site: Reachable, app: App, proofs: Proofs) -> None:
        super().__init__(site, app)
        self.proofs: Proofs | None = proofs
        self.dpop_nonce: str | None = None
        self.proving = {"/token"}

    @property
    def jkt(self) -> str:
        assert self.proofs is not None
        return self.proofs.key.jkt

    def headers(self, method: str, path: str, access_token: str | None = None) -> dict[str, str]:
        if self.proofs is None:
            return super().headers(method, path, access_token)
        if access_token is None and path not in self.proving:
            return {}
        proof = self.proofs.make(method, path, access_token, nonce=self.dpop_nonce)
        sent = {"dpop": proof}
        if access_token is not None:
            sent["authorization"] = f"DPoP {access_token}"
        return sent


def proofs_for(site: Site, key: Key | None = None) -> Proofs:
    """Proofs by the clock of a server in this process."""
    return Proofs(site.issuer, lambda: site.clock().timestamp(), key or Key())


def proofs_by_real_time(issuer: str) -> Proofs:
    return Proofs(issuer, time.time, Key())


def ath(access_token: str) -> str:
    return encoded(hashlib.sha256(access_token.encode()).digest())


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
