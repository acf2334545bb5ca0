"""The keys of the suite's clients, made and used without any code of the server."""

import secrets
from dataclasses import dataclass
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


@dataclass(frozen=True)
class ClientKey:
    """For RS256. Most of the suite's keys have no `kid`, as they are alone in their set."""

    private: rsa.RSAPrivateKey
    kid: str | None = None

    @classmethod
    def generate(cls, *, named: bool = False) -> Self:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(private, secrets.token_urlsafe(16) if named else None)

    def key_set(self) -> dict[str, Any]:
        """What is registered or published."""
        jwk = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        jwk.pop("key_ops", None)
        named = {} if self.kid is None else {"kid": self.kid}
        return {"keys": [{**jwk, **named, "use": "sig", "alg": "RS256"}]}

    def sign(self, claims: dict[str, Any]) -> str:
        headers: dict[str, Any] = {"typ": None}
        if self.kid is not None:
            headers["kid"] = self.kid
        return jwt.encode(claims, self.private, algorithm="RS256", headers=headers)
