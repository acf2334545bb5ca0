"""What a browser is asked about passkeys, and which answers hold."""

import json
from typing import Any

import cbor2
import pytest

from oidc_server.security import base64url, passkeys
from oidc_server.security.passkeys import Answer, PasskeyError, Person, RelyingParty
from tests.authenticator import BE, BS, UP, UV, Authenticator

PARTY = RelyingParty("id.example.com", "https://id.example.com", "Example")
PERSON = Person(b"handle", "ada", "Ada Lovelace")
CHALLENGE = "Y2hhbGxlbmdl"


def creation(*, alone: bool = False) -> dict[str, Any]:
    return passkeys.creation_options(PARTY, PERSON, CHALLENGE, alone=alone)


def request() -> dict[str, Any]:
    return passkeys.request_options(PARTY, CHALLENGE, user_verification="required")


def made(authenticator: Authenticator, **changes: Any) -> passkeys.NewPasskey:
    answer = passkeys.read(authenticator.make(creation(), **changes))
    return passkeys.verify_creation(PARTY, answer, alone=False)


def used(
    authenticator: Authenticator, public_key: bytes, text: str | None = None
) -> passkeys.Assertion:
    answer = passkeys.read(text or authenticator.use(request()))
    return passkeys.verify_assertion(PARTY, answer, public_key, user_verification="required")


@pytest.mark.parametrize(
    ("issuer", "party"),
    [
        ("https://id.example.com", ("id.example.com", "https://id.example.com")),
        ("https://id.example.com:8443/auth", ("id.example.com", "https://id.example.com:8443")),
        ("http://localhost:8000", ("localhost", "http://localhost:8000")),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
    ],
)
def test_who_asks_follows_from_the_issuer(issuer, party):
    found = passkeys.relying_party(issuer, "Example")

    assert (found and (found.id, found.origin)) == party


def test_a_passkey_that_was_made_can_be_used():
    authenticator = Authenticator()

    new = made(authenticator)
    assertion = used(authenticator, new.public_key)

    assert new.credential_id == authenticator.credential_id
    assert (new.user_verified, new.discoverable, new.backup_eligible) == (True, True, False)
    assert (assertion.sign_count, assertion.user_verified) == (1, True)


def test_a_synced_passkey_is_known_as_one():
    new = made(Authenticator(flags=UP | UV | BE | BS))

    assert (new.backup_eligible, new.backed_up) == (True, True)


def test_no_attestation_is_asked_for_and_a_passkey_that_opens_alone_knows_its_person():
    options = creation(alone=True)

    assert options["attestation"] == "none"
    selection = options["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    with pytest.raises(PasskeyError):
        passkeys.verify_creation(
            PARTY, passkeys.read(Authenticator(flags=UP).make(options)), alone=True
        )


WRONG_MAKERS = {
    "another origin": Authenticator(origin="https://id.example.com.evil.example"),
    "plain http": Authenticator(origin="http://id.example.com"),
    "another rp id": Authenticator(rp_id="example.com"),
    "nobody present": Authenticator(flags=UV),
}


@pytest.mark.parametrize("name", WRONG_MAKERS)
def test_a_passkey_made_elsewhere_or_by_nobody_is_refused(name):
    with pytest.raises(PasskeyError):
        made(WRONG_MAKERS[name])


def test_the_answer_to_one_question_is_none_to_the_other():
    authenticator = Authenticator()
    public_key = made(authenticator).public_key

    with pytest.raises(PasskeyError):
        made(authenticator, client_data={"type": "webauthn.get"})
    with pytest.raises(PasskeyError):
        used(
            authenticator,
            public_key,
            authenticator.use(request(), client_data={"type": "webauthn.create"}),
        )


@pytest.mark.parametrize("name", [*WRONG_MAKERS, "not verified", "another key"])
def test_a_use_that_does_not_hold_is_refused(name):
    authenticator = Authenticator()
    public_key = made(authenticator).public_key
    wrong = WRONG_MAKERS.get(name, Authenticator(flags=UP if name == "not verified" else UP | UV))
    if name != "another key":
        wrong = Authenticator(
            flags=wrong.flags, origin=wrong.origin, rp_id=wrong.rp_id, key=authenticator.key
        )

    with pytest.raises(PasskeyError):
        used(wrong, public_key)


@pytest.mark.parametrize("member", ["clientDataJSON", "authenticatorData", "signature"])
def test_an_answer_with_a_changed_member_is_refused(member):
    authenticator = Authenticator()
    public_key = made(authenticator).public_key
    sent = json.loads(authenticator.use(request()))
    changed = bytearray(base64url.decode(sent["response"][member]))
    changed[-2] ^= 1
    sent["response"][member] = base64url.encode(bytes(changed))

    with pytest.raises(PasskeyError):
        used(authenticator, public_key, json.dumps(sent))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        "{}",
        '{"response": 1}',
        '{"response": {}, "rawId": "AA"}',
        '{"response": {"clientDataJSON": "e30"}, "rawId": "AA"}',
        '{"response": {"clientDataJSON": "###"}, "rawId": "AA"}',
        "[" * 10_000,
        "x" * 40_000,
        "\ud800",
    ],
)
def test_what_is_no_answer_is_refused(text):
    with pytest.raises(PasskeyError):
        passkeys.read(text)


def test_an_answer_given_in_a_frame_of_another_site_is_refused():
    with pytest.raises(PasskeyError):
        passkeys.read(Authenticator().use(request(), client_data={"crossOrigin": True}))


@pytest.mark.parametrize(
    "key",
    [
        {1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)},  # no point of the curve
        {1: 2, 3: -35, -1: 2, -2: bytes(48), -3: bytes(48)},  # ES384 was not offered
        {1: 99, 3: -7},
        {},
    ],
)
def test_a_key_that_is_none_of_ours_is_refused(key):
    authenticator = Authenticator()
    sent = json.loads(authenticator.make(creation()))
    attestation = cbor2.loads(base64url.decode(sent["response"]["attestationObject"]))
    head = attestation["authData"][: 37 + 18 + 32]
    attestation["authData"] = head + cbor2.dumps(key)
    sent["response"]["attestationObject"] = base64url.encode(cbor2.dumps(attestation))

    def make_and_use() -> None:
        new = passkeys.verify_creation(PARTY, passkeys.read(json.dumps(sent)), alone=False)
        used(authenticator, new.public_key)

    with pytest.raises(PasskeyError):
        make_and_use()


def test_bytes_after_the_end_are_refused():
    authenticator = Authenticator()
    sent = json.loads(authenticator.make(creation()))
    attestation = base64url.decode(sent["response"]["attestationObject"])
    sent["response"]["attestationObject"] = base64url.encode(attestation + b"\0")

    with pytest.raises(PasskeyError):
        passkeys.verify_creation(PARTY, passkeys.read(json.dumps(sent)), alone=False)


def test_a_response_without_transports_or_extensions_is_taken():
    authenticator = Authenticator()
    sent = json.loads(authenticator.make(creation()))
    del sent["response"]["transports"], sent["clientExtensionResults"]

    answer: Answer = passkeys.read(json.dumps(sent))
    new = passkeys.verify_creation(PARTY, answer, alone=False)

    assert (new.transports, new.discoverable) == (frozenset(), True)
