"""Tokens of our own: written, and read without trusting them."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.security.jose import (
    ALGORITHMS,
    MAX_TOKEN_LENGTH,
    SigningKey,
    VerificationKeys,
    half_hash,
    is_current,
    parse_json_object,
)
from oidc_server.security.jose import own_tokens as jose
from tests.processor_time import at_most

ISSUER = "https://id.example.com"
CLAIMS = {"iss": ISSUER, "sub": "s", "aud": "a", "exp": 4_000_000_000, "iat": 1_700_000_000}
NOW = datetime.fromtimestamp(1_950_000_000, UTC)
KEYS = {alg: SigningKey.generate(alg) for alg in ALGORITHMS}
VERIFICATION = VerificationKeys(key.public_jwk() for key in KEYS.values())


def read(token: str, **changes: Any):
    return VERIFICATION.verify(token, **{"typ": "JWT", "issuer": ISSUER, **changes})


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def token_with(payload: bytes, alg="ES256", header: bytes | None = None, **members) -> str:
    """A token that is signed well, whatever is in it."""
    key = KEYS[alg]
    head = header or json.dumps({"alg": alg, "kid": key.kid, "typ": "JWT"} | members).encode()
    message = f"{b64(head)}.{b64(payload)}"
    return f"{message}.{b64(key._sign(message.encode()))}"


PAYLOAD = json.dumps(CLAIMS).encode()


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_is_read_by_us_and_by_an_independent_library(alg):
    token = KEYS[alg].sign(CLAIMS)

    public = jwt.PyJWK(json.loads(json.dumps(KEYS[alg].public_jwk()))).key
    witness = jwt.decode(token, public, algorithms=[alg], audience="a", issuer=ISSUER)

    assert read(token, now=NOW) == CLAIMS == witness
    assert jwt.get_unverified_header(token) == {"alg": alg, "kid": KEYS[alg].kid, "typ": "JWT"}


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_of_an_independent_library_is_read_by_us(alg):
    private = serialization.load_der_private_key(KEYS[alg].private_der(), None)

    token = jwt.encode(CLAIMS, private, algorithm=alg, headers={"kid": KEYS[alg].kid})  # type: ignore[arg-type] # a union, narrower there

    assert read(token) == CLAIMS


def test_signatures_keep_their_length_whatever_their_numbers_are():
    """RFC 7518 §3.4: R and S have 32 octets each, also when a number is small."""
    key = KEYS["ES256"]
    public = jwt.PyJWK(key.public_jwk()).key

    tokens = [key.sign({"n": n}) for n in range(600)]

    assert {len(unb64(token.rpartition(".")[2])) for token in tokens} == {64}
    assert [jwt.decode(t, public, algorithms=["ES256"])["n"] for t in tokens] == list(range(600))


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_a_signature_is_cut_out_of_its_der_exactly(r, s):
    assert jose._raw_signature(encode_dss_signature(r, s)) == (
        r.to_bytes(32, "big") + s.to_bytes(32, "big")
    )


@pytest.mark.parametrize("small", [1, 127, 128, 255, 2**248 - 1, 2**255, 2**256 - 1])
def test_a_signature_with_an_extreme_number_is_cut_out_exactly(small):
    for r, s in ((small, 5), (5, small), (small, small)):
        assert jose._raw_signature(encode_dss_signature(r, s)) == (
            r.to_bytes(32, "big") + s.to_bytes(32, "big")
        )


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_stored_key_is_the_same_key(alg):
    key = KEYS[alg]

    again = SigningKey.from_private(key.private_der(), alg)

    assert again.public_jwk() == key.public_jwk()
    assert read(again.sign(CLAIMS)) == CLAIMS


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_what_is_published_holds_nothing_private(alg):
    published = KEYS[alg].public_jwk()

    assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & published.keys()
    assert (published["use"], published["alg"], published["kid"]) == ("sig", alg, KEYS[alg].kid)
    assert "PRIVATE" not in repr(KEYS[alg])


def test_what_is_published_cannot_be_changed_from_outside():
    KEYS["ES256"].public_jwk()["kid"] = "changed"

    assert KEYS["ES256"].public_jwk()["kid"] == KEYS["ES256"].kid


@pytest.mark.parametrize(
    ("alg", "members"),
    [
        ("ES256", ("crv", "kty", "x", "y")),
        ("RS256", ("e", "kty", "n")),
        ("EdDSA", ("crv", "kty", "x")),
    ],
)
def test_the_kid_is_the_thumbprint(alg, members):
    """RFC 7638 §3.1."""
    published = KEYS[alg].public_jwk()
    canonical = json.dumps({name: published[name] for name in members}, separators=(",", ":"))

    assert KEYS[alg].kid == b64(hashlib.sha256(canonical.encode()).digest())


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "ES256"),
        (ec.generate_private_key(ec.SECP256R1()), "RS256"),
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), "RS256"),  # noqa: S505
        (ed25519.Ed25519PrivateKey.generate(), "ES256"),
        (ec.generate_private_key(ec.SECP256R1()), "none"),
        (ec.generate_private_key(ec.SECP256R1()), "HS256"),
    ],
)
def test_a_weak_key_or_one_for_another_algorithm_does_not_sign(key, alg):
    with pytest.raises(ValueError, match="not a key for"):
        SigningKey(key, alg)


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", ""])
def test_no_key_is_made_for_another_algorithm(alg):
    with pytest.raises(ValueError, match="not an algorithm"):
        SigningKey.generate(alg)


def test_each_type_has_its_own_header_however_they_alternate():
    key = KEYS["ES256"]

    types = ["at+jwt", None, "JWT", "at+jwt"]

    headers = [jwt.get_unverified_header(key.sign(CLAIMS, typ)) for typ in types]

    assert [header.get("typ") for header in headers] == types


@pytest.mark.parametrize("claim", [NOW, {"a"}, object(), b"bytes", 2**70, "\ud800"])
def test_a_claim_that_json_has_no_word_for_is_a_mistake_of_ours(claim):
    with pytest.raises(TypeError):
        KEYS["ES256"].sign({"claim": claim})


@pytest.mark.parametrize(
    ("signed", "wanted", "is_read"),
    [
        ("at+jwt", "at+jwt", True),
        ("application/at+jwt", "at+jwt", True),
        ("AT+JWT", "at+jwt", True),
        ("JWT", {"JWT", "at+jwt"}, True),
        ("JWT", "at+jwt", False),
        ("at+jwt", "JWT", False),
        ("logout+jwt", ("JWT", "at+jwt"), False),
        (None, "JWT", False),
        ("JWT", (), False),
    ],
)
def test_a_token_of_one_type_is_never_taken_for_another(signed, wanted, is_read):
    """RFC 8725 §3.11, RFC 9068 §4."""
    assert (read(KEYS["ES256"].sign(CLAIMS, signed), typ=wanted) is not None) is is_read


@pytest.mark.parametrize("issuer", ["https://evil.example", ISSUER + "/", "", None, [ISSUER], 1])
def test_a_token_of_another_issuer_is_refused(issuer):
    assert read(KEYS["ES256"].sign(CLAIMS | {"iss": issuer})) is None


def test_a_token_without_issuer_is_refused():
    assert read(KEYS["ES256"].sign({"sub": "s"})) is None


def test_only_the_algorithms_asked_for_are_taken():
    token = KEYS["ES256"].sign(CLAIMS)

    assert read(token, algorithms=["ES256"]) == CLAIMS
    assert read(token, algorithms=["RS256", "PS256"]) is None
    assert read(token, algorithms=[]) is None


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", ""])
def test_a_token_without_signature_is_refused(alg):
    for kid in ({"kid": KEYS["ES256"].kid}, {}):
        header = b64(json.dumps({"alg": alg, "typ": "JWT"} | kid).encode())
        assert read(f"{header}.{b64(PAYLOAD)}.") is None
        assert read(f"{header}.{b64(PAYLOAD)}") is None
        assert read(f"{header}.{b64(PAYLOAD)}.AAAA", algorithms=[alg]) is None


@pytest.mark.parametrize("victim", ["RS256", "ES256"])
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(victim, alg):
    """CVE-2024-37568: the attacker signs with what everybody can fetch."""
    key = KEYS[victim]
    public = key._private_key.public_key()
    encodings = [
        public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
    ]
    secrets = [*encodings, encodings[0].strip(), json.dumps(key.public_jwk()).encode(), b""]
    head = json.dumps({"alg": alg, "kid": key.kid, "typ": "JWT"}).encode()
    message = f"{b64(head)}.{b64(PAYLOAD)}"

    forged = [
        f"{message}.{b64(hmac.digest(secret, message.encode(), 'sha' + alg[2:]))}"
        for secret in secrets
    ]

    assert [token for token in forged if read(token, algorithms=[*ALGORITHMS, alg])] == []


def test_a_key_verifies_only_the_algorithm_it_is_published_for():
    """RFC 8725 §3.1: an RSA key for RS256 verifies no PS256 signature, nor the other way round."""
    rsa_key = KEYS["RS256"]._private_key
    as_pss = SigningKey(rsa_key, "PS256").sign(CLAIMS)
    relabelled = "{}.{}.{}".format(
        b64(json.dumps({"alg": "RS256", "kid": KEYS["RS256"].kid, "typ": "JWT"}).encode()),
        *as_pss.split(".")[1:],
    )

    assert jwt.get_unverified_header(as_pss)["kid"] == KEYS["RS256"].kid
    assert read(as_pss) is None
    assert read(relabelled) is None


def test_a_signature_of_another_key_is_refused():
    stranger = SigningKey.generate("ES256")
    head = json.dumps({"alg": "ES256", "kid": KEYS["ES256"].kid, "typ": "JWT"}).encode()
    message = f"{b64(head)}.{b64(PAYLOAD)}"

    assert read(stranger.sign(CLAIMS)) is None
    assert read(f"{message}.{b64(stranger._sign(message.encode()))}") is None


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_along_is_not_used(member):
    """CVE-2026-27962."""
    stranger = SigningKey.generate("ES256")
    value = {"jwk": stranger.public_jwk(), "x5c": ["AAAA"]}.get(member, "https://evil.example/jwks")
    for kid in (KEYS["ES256"].kid, stranger.kid, None):
        head = {"alg": "ES256", "typ": "JWT", member: value} | ({"kid": kid} if kid else {})
        message = f"{b64(json.dumps(head).encode())}.{b64(PAYLOAD)}"

        assert read(f"{message}.{b64(stranger._sign(message.encode()))}") is None


@pytest.mark.parametrize(
    "kid",
    ["", "unknown", "../../etc/passwd", "' OR 1=1", None, 0, True, [], {}, ["ES256"], "a" * 3000],
)
def test_an_unknown_kid_names_no_key(kid):
    assert read(token_with(PAYLOAD, kid=kid)) is None


def test_a_token_without_kid_is_refused_even_with_a_single_key():
    only = VerificationKeys([KEYS["ES256"].public_jwk()])
    token = token_with(PAYLOAD, header=b'{"alg":"ES256","typ":"JWT"}')

    assert only.verify(KEYS["ES256"].sign(CLAIMS), typ="JWT", issuer=ISSUER) == CLAIMS
    assert only.verify(token, typ="JWT", issuer=ISSUER) is None


@pytest.mark.parametrize("copies", [2, 3])
def test_of_keys_with_the_same_kid_none_is_used(copies):
    ours = KEYS["ES256"].public_jwk()
    foreign = SigningKey.generate("ES256").public_jwk() | {"kid": ours["kid"]}

    for order in ([ours] + [foreign] * (copies - 1), [foreign] * (copies - 1) + [ours]):
        keys = VerificationKeys([*order, KEYS["RS256"].public_jwk()])
        assert keys.verify(KEYS["ES256"].sign(CLAIMS), typ="JWT", issuer=ISSUER) is None
        assert keys.verify(KEYS["RS256"].sign(CLAIMS), typ="JWT", issuer=ISSUER) == CLAIMS


@pytest.mark.parametrize(
    "members",
    [
        {"crit": ["x"], "x": 1},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": None},
        {"crit": "alg"},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
    ],
)
def test_extensions_that_must_be_understood_are_refused(members):
    """RFC 7515 §4.1.11; CVE-2025-59420."""
    assert read(token_with(PAYLOAD, **members)) is None


def test_a_header_that_may_be_ignored_is_ignored():
    """RFC 7515 §4."""
    assert read(token_with(PAYLOAD, unheard_of={"a": 1})) == CLAIMS


@pytest.mark.parametrize("alg", [[], ["ES256"], 256, None, True, {"a": 1}, "ES256 ", "es256"])
def test_an_algorithm_that_is_no_name_of_ours_is_refused(alg):
    header = json.dumps({"alg": alg, "kid": KEYS["ES256"].kid, "typ": "JWT"}).encode()

    assert read(token_with(PAYLOAD, header=header)) is None


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"1", b"null", b"{", b"\xff", b'{"alg":"ES256"', b"[" * 5000, b'{"a":' * 3000,
     b'{"alg":"ES256","alg":"ES256","typ":"JWT"}'],
)  # fmt: skip
def test_a_header_that_is_no_object_is_refused(header):
    assert read(token_with(PAYLOAD, header=header or b" ")) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"iss":"https://id.example.com"',
        b'{"iss":"https://evil.example","iss":"https://id.example.com"}',
        b'{"iss":"https://id.example.com","exp":NaN}',
        b'{"iss":"https://id.example.com","exp":Infinity}',
        b'{"iss":"https://id.example.com","exp":1e999}',
        b'{"iss":"https://id.example.com","sub":"\\ud800"}',
        b'{"iss":"https://id.example.com","deep":{"a":1,"a":2}}',
        b'{"iss":"https://id.example.com","deep":' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"iss":"https://id.example.com","deep":' + b"[" * 990 + b"]" * 990 + b"}",
        b'{"iss":"https://id.example.com","deep":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"iss":"https://id.example.com"}{}',
    ],
)
def test_a_signed_payload_that_can_be_read_in_two_ways_is_refused(payload):
    assert read(token_with(payload)) is None


@pytest.mark.parametrize(
    "garbage",
    ["", ".", "..", "...", "a.b.c", "é.é.é", "\ud800", "\0", "a" * 10_000_000, "." * 10_000_000,
     "eyJ" * 4000, "e30.e30.e30", "e30.e30.", " ", "Bearer x"],
)  # fmt: skip
def test_garbage_is_refused_at_once(garbage):
    with at_most(0.1):
        assert read(garbage) is None


@pytest.mark.parametrize("payload_size", [9_000, 13_000, 1_000_000, 10_000_000])
def test_a_token_is_read_up_to_the_limit_and_refused_beyond(payload_size):
    token = KEYS["ES256"].sign(CLAIMS | {"pad": "x" * payload_size})

    assert (read(token) is not None) is (len(token) <= MAX_TOKEN_LENGTH)


def test_header_and_payload_share_one_limit():
    claims = json.dumps(CLAIMS | {"pad": "x" * 11_000}).encode()

    assert read(token_with(claims)) is not None
    assert read(token_with(claims, pad="x" * 1_300)) is None


@given(st.text() | st.binary().map(lambda data: f"{b64(data)}.{b64(data)}.{b64(data)}"))
def test_reading_never_raises(token):
    assert read(token) is None


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_no_character_of_a_token_can_be_changed(alg):
    token = KEYS[alg].sign(CLAIMS)

    for position in range(0, len(token), 7):
        for letter in "Ag-.=":
            forged = token[:position] + letter + token[position + 1 :]
            assert forged == token or read(forged) is None
    for forged in (token + "A", token + "=", token + ".", token + "\n", " " + token, token[:-1]):
        assert read(forged) is None


def test_a_signature_has_one_spelling():
    """The unused last bits of base64 must be zero: otherwise one token has several texts."""
    token = KEYS["ES256"].sign(CLAIMS)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    signature = token.rpartition(".")[2]

    others = [
        token[:-1] + letter
        for letter in alphabet
        if letter != token[-1] and unb64(signature[:-1] + letter) == unb64(signature)
    ]

    assert len(others) == 15
    assert [read(other) for other in others] == [None] * 15


@pytest.mark.parametrize(
    ("claims", "leeway", "is_valid"),
    [
        ({"exp": 100}, 0, True),
        ({"exp": 99}, 0, False),
        ({"exp": 99}, 2, True),
        ({"exp": 97}, 2, False),
        ({"exp": 99.5}, 0, True),
        ({"exp": 10**12, "nbf": 99}, 0, True),
        ({"exp": 10**12, "nbf": 100}, 0, False),
        ({"exp": 10**12, "nbf": 101}, 2, True),
        ({"exp": 10**12, "nbf": 102}, 2, False),
        ({}, 0, False),
        ({"exp": "200"}, 0, False),
        ({"exp": None}, 0, False),
        ({"exp": True}, 0, False),
        ({"exp": [200]}, 0, False),
        ({"exp": 200, "nbf": "1"}, 0, False),
        ({"exp": 200, "nbf": None}, 0, False),
        ({"exp": 200, "nbf": True}, 0, False),
    ],
)
def test_a_token_is_valid_from_nbf_to_exp_and_only_with_numbers(claims, leeway, is_valid):
    """RFC 7519 §4.1.4: "on or after which the JWT MUST NOT be accepted"."""
    now = datetime.fromtimestamp(99, UTC)
    token = KEYS["ES256"].sign({"iss": ISSUER, **claims})

    assert is_current(claims, now, timedelta(seconds=leeway)) is is_valid
    read_now = read(token, now=now, leeway=timedelta(seconds=leeway))
    assert (read_now is not None) is is_valid


def test_at_hash_is_the_example_of_the_specification():
    """Core §A.3: the `at_hash` in the example response with `code id_token token`."""
    assert half_hash("RS256", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == (
        "77QmUPtjPfzWtF2AnpK9RQ"
    )


@pytest.mark.parametrize(
    ("alg", "name"), [("ES256", "sha256"), ("PS256", "sha256"), ("EdDSA", "sha512")]
)
def test_the_half_hash_uses_the_hash_of_the_algorithm(alg, name):
    whole = hashlib.new(name, b"token").digest()

    assert half_hash(alg, "token") == b64(whole[: len(whole) // 2])


def test_json_is_read_strictly():
    assert parse_json_object(b' {"a": [1, {"b": null}]} ') == {"a": [1, {"b": None}]}
    for bad in (b"", b"[]", b'{"a":1,}', b"{'a':1}", b'{"a":1,"\\u0061":2}', b"{} x"):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever the reason
            parse_json_object(bad)
