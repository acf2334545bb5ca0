"""Passkeys: what a browser is asked, and whether its answer holds (Web Authentication Level 3).

The one home of `webauthn` and its `cbor2`, which take time and memory: they are imported when the
first answer is verified. Nothing here knows which challenges were given or who has which passkey.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from oidc_server.security import base64url

UserVerification = Literal["required", "preferred"]

_TIMEOUT = 300_000
"""Milliseconds that a person has; their challenge lives as long."""
_ALGORITHMS = (-8, -7, -257)
"""EdDSA, ES256, RS256 (COSE), in order of preference."""
_TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
_LONGEST = 32 * 1024
_LONGEST_ID = 1023


class PasskeyError(Exception):
    """The answer does not hold; the message is for the log and the audit, not for people."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks (WebAuthn §5.4.2). `id` and `origin` come from the issuer, never from a request."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whose passkey is made (WebAuthn §5.4.3). `handle` is random: a passkey tells no `sub`."""

    handle: bytes
    username: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser sent, before anything of it is verified."""

    challenge: str
    credential_id: bytes
    user_handle: bytes | None
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey as its authenticator describes it."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: frozenset[str]
    user_verified: bool
    discoverable: bool
    """Whether it can be found without a username."""
    backup_eligible: bool
    """Whether it may be on several devices: then it is not bound to hardware."""
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a use of a passkey says."""

    sign_count: int
    user_verified: bool
    backed_up: bool


def relying_party(issuer: str, name: str) -> RelyingParty | None:
    """The relying party of this issuer; None at an IP address, where browsers have no passkeys."""
    parts = urlsplit(issuer)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return RelyingParty(host, f"{parts.scheme}://{parts.netloc}", name)
    return None


def creation_options(
    party: RelyingParty,
    person: Person,
    challenge: str,
    *,
    exclude: Iterable[bytes] = (),
    alone: bool = False,
) -> dict[str, Any]:
    """The options of `navigator.credentials.create()` (WebAuthn §5.4), bytes in base64url.

    `alone`: it will be the only way in, so it must be discoverable and verify its user.
    """
    verification: UserVerification = "required" if alone else "preferred"
    return {
        "rp": {"id": party.id, "name": party.name},
        "user": {
            "id": base64url.encode(person.handle),
            "name": person.username,
            "displayName": person.name,
        },
        "challenge": challenge,
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in _ALGORITHMS],
        "timeout": _TIMEOUT,
        "excludeCredentials": _descriptors(exclude),
        "authenticatorSelection": {
            "residentKey": "required" if alone else "preferred",
            "requireResidentKey": alone,
            "userVerification": verification,
        },
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def request_options(
    party: RelyingParty,
    challenge: str,
    *,
    allow: Iterable[bytes] = (),
    user_verification: UserVerification,
) -> dict[str, Any]:
    """The options of `navigator.credentials.get()` (WebAuthn §5.5), bytes in base64url.

    Without `allow` the person chooses among all passkeys that they have for us.
    """
    return {
        "challenge": challenge,
        "timeout": _TIMEOUT,
        "rpId": party.id,
        "allowCredentials": _descriptors(allow),
        "userVerification": user_verification,
    }


def read(text: str) -> Answer:
    """Find out which challenge and passkey an answer is about; raises `PasskeyError`."""
    if len(text) > _LONGEST:
        raise PasskeyError("the answer is too long")
    document = _object(text.encode("utf-8", "replace"))
    response = document.get("response")
    if not isinstance(response, dict):
        raise PasskeyError("the answer has no response")
    client_data = _object(_bytes(response.get("clientDataJSON")))
    challenge = client_data.get("challenge")
    if not isinstance(challenge, str):
        raise PasskeyError("the answer is about no challenge")
    if client_data.get("crossOrigin"):
        raise PasskeyError("the answer was given in a frame of another site")
    credential_id = _bytes(document.get("rawId"))
    if not 0 < len(credential_id) <= _LONGEST_ID:
        raise PasskeyError("the id of the passkey has a wrong length")
    handle = response.get("userHandle")
    return Answer(challenge, credential_id, _bytes(handle) if handle else None, document)


def verify_creation(party: RelyingParty, answer: Answer, *, alone: bool) -> NewPasskey:
    """Check a new passkey (WebAuthn §7.1); raises `PasskeyError`.

    No attestation is asked for, so what an authenticator says of itself is not proven: it only
    decides which name the passkey is shown with, and in which list.
    """
    from webauthn import verify_registration_response  # noqa: PLC0415

    try:
        made = verify_registration_response(
            credential=dict(answer.document),
            expected_challenge=_bytes(answer.challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=alone,
        )
    except Exception as error:
        raise PasskeyError(_reason(error)) from error
    if _has_more_than_one_item(made.attestation_object):
        raise PasskeyError("something follows the attestation object")
    if made.credential_id != answer.credential_id:
        raise PasskeyError("the answer names another passkey than it makes")
    return NewPasskey(
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        transports=_transports(answer),
        user_verified=made.user_verified,
        discoverable=_is_discoverable(answer),
        backup_eligible=made.credential_device_type.value == "multi_device",
        backed_up=made.credential_backed_up,
    )


def verify_assertion(
    party: RelyingParty, answer: Answer, public_key: bytes, *, user_verification: UserVerification
) -> Assertion:
    """Check a use of a passkey (WebAuthn §7.2); raises `PasskeyError`.

    The sign count is not checked here, but against the stored one when it is stored.
    """
    from webauthn import verify_authentication_response  # noqa: PLC0415

    try:
        used = verify_authentication_response(
            credential=dict(answer.document),
            expected_challenge=_bytes(answer.challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=user_verification == "required",
        )
    except Exception as error:
        raise PasskeyError(_reason(error)) from error
    return Assertion(used.new_sign_count, used.user_verified, used.credential_backed_up)


def _descriptors(credential_ids: Iterable[bytes]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": base64url.encode(each)} for each in credential_ids]


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise PasskeyError("the answer is not well-formed JSON") from None
    if not isinstance(found, dict):
        raise PasskeyError("the answer is no JSON object")
    return found


def _bytes(text: object) -> bytes:
    try:
        return base64url.decode(text) if isinstance(text, str) else b""
    except ValueError:
        raise PasskeyError("a member of the answer is not base64url") from None


def _has_more_than_one_item(data: bytes) -> bool:
    """Whether bytes follow the CBOR item, which the library does not check."""
    import cbor2  # noqa: PLC0415

    stream = BytesIO(data)
    cbor2.load(stream)
    return bool(stream.read(1))


def _transports(answer: Answer) -> frozenset[str]:
    found = answer.document["response"].get("transports")
    return _TRANSPORTS.intersection(
        each for each in (found if isinstance(found, list) else ()) if isinstance(each, str)
    )


def _is_discoverable(answer: Answer) -> bool:
    """What the browser reports (WebAuthn §10.1.3); those that report nothing make it so."""
    results = answer.document.get("clientExtensionResults")
    properties = results.get("credProps") if isinstance(results, dict) else None
    return not (isinstance(properties, dict) and properties.get("rk") is False)


def _reason(error: Exception) -> str:
    """Only the kind of a failure: its text repeats what was sent."""
    return type(error).__name__
