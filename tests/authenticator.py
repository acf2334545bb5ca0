"""A passkey in software: it signs what a page asks for, and can be told to do it wrong."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from oidc_server.security import base64url

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
ORIGIN = "https://id.example.com"


@dataclass
class Authenticator:
    """One passkey. `flags` are those of every answer; `step` is how far each use counts on."""

    flags: int = UP | UV
    step: int = 1
    sign_count: int = 0
    origin: str = ORIGIN
    rp_id: str | None = None
    """Another than the one that is asked for."""
    aaguid: bytes = bytes(16)
    transports: tuple[str, ...] = ("internal",)
    discoverable: bool = True
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    handle: str = ""

    def make(self, options: dict[str, Any], **changes: Any) -> str:
        """What a browser sends for these options of a new passkey."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public_key = {1: 2, 3: -7, -1: 1, -2: _32(numbers.x), -3: _32(numbers.y)}
        credential = len(self.credential_id).to_bytes(2) + self.credential_id
        attested = self.aaguid + credential + cbor2.dumps(public_key)
        data = self._data(options["rp"]["id"], AT) + attested
        attestation = {"fmt": "none", "attStmt": {}, "authData": data}
        response = {
            "attestationObject": base64url.encode(cbor2.dumps(attestation)),
            "transports": list(self.transports),
        }
        extensions = {"credProps": {"rk": self.discoverable}}
        return self._answer("webauthn.create", options, response, extensions, changes)

    def use(self, options: dict[str, Any], **changes: Any) -> str:
        """What a browser sends for these options of a use."""
        self.sign_count += self.step
        data = self._data(options["rpId"], 0)
        client_data = self._client_data("webauthn.get", options, changes)
        signed = data + sha256(client_data).digest()
        response = {
            "authenticatorData": base64url.encode(data),
            "signature": base64url.encode(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": self.handle,
        }
        return self._answer("webauthn.get", options, response, {}, changes)

    def _data(self, rp_id: str, further_flags: int) -> bytes:
        flags = bytes([self.flags | further_flags])
        return sha256((self.rp_id or rp_id).encode()).digest() + flags + _32(self.sign_count)[-4:]

    def _client_data(self, kind: str, options: dict[str, Any], changes: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(told | changes.get("client_data", {})).encode()

    def _answer(
        self,
        kind: str,
        options: dict[str, Any],
        response: dict[str, Any],
        extensions: dict[str, Any],
        changes: dict[str, Any],
    ) -> str:
        credential_id = base64url.encode(self.credential_id)
        client_data = base64url.encode(self._client_data(kind, options, changes))
        return json.dumps(
            {
                "id": credential_id,
                "rawId": credential_id,
                "type": "public-key",
                "response": {
                    "clientDataJSON": client_data,
                    **response,
                    **changes.get("response", {}),
                },
                "clientExtensionResults": extensions,
            }
        )


def _32(number: int) -> bytes:
    return number.to_bytes(32)
