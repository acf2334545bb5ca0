"""Tokens that clients sign: whose keys are taken, and which tokens are not believed."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe, jwk

from oidc_server.security.jose import (
    MAX_TOKEN_LENGTH,
    ClientKeys,
    SigningKey,
    peek,
    verify_embedded,
    verify_hmac,
)
from tests.processor_time import at_most

ALL = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
KEYS = {alg: SigningKey.generate(alg) for alg in ("RS256", "PS256", "ES256", "EdDSA")}
CLAIMS = {"iss": "client", "jti": "1"}
SECRET = b"a secret of a client, which is long enough for any hash"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public(alg: str, /, **changes: Any) -> dict[str, Any]:
    members = KEYS[alg].public_jwk() | changes
    return {name: value for name, value in members.items() if value is not None}


def keys(*members: dict[str, Any]) -> ClientKeys:
    return ClientKeys({"keys": list(members)})


def token(alg: str, payload: bytes | None = None, /, **header: Any) -> str:
    """Signed well by the key of `alg`, whatever the header says."""
    head = {"alg": alg, "kid": KEYS[alg].kid} | header
    head = {name: value for name, value in head.items() if value is not None}
    body = json.dumps(CLAIMS).encode() if payload is None else payload
    message = f"{b64(json.dumps(head).encode())}.{b64(body)}"
    return f"{message}.{b64(KEYS[alg]._sign(message.encode()))}"


EVERY = keys(*(public(alg) for alg in KEYS))


@pytest.mark.parametrize("alg", KEYS)
@pytest.mark.parametrize("kid", ["given", None])
def test_a_token_of_the_client_is_read(alg: str, kid: str | None):
    changes = {} if kid else {"kid": None}

    signed = EVERY.verify(token(alg, **changes), ALL)

    assert signed is not None
    assert signed.claims == CLAIMS
    assert signed.header["alg"] == alg


def test_ed25519_has_two_names():
    """RFC 9864 §2.2."""
    renamed = keys(public("EdDSA", alg="Ed25519"))

    assert keys(public("EdDSA")).verify(token("EdDSA", alg="Ed25519"), ALL)
    assert renamed.verify(token("EdDSA"), ALL)
    assert renamed.verify(token("EdDSA", alg="Ed25519"), ALL)
    assert renamed.verify(token("EdDSA", alg="Ed25519"), ("EdDSA",)) is None


@pytest.mark.parametrize("alg", KEYS)
def test_an_algorithm_that_is_not_allowed_is_refused(alg: str):
    others = [name for name in ALL if name != alg]

    assert EVERY.verify(token(alg), others) is None


def test_the_key_decides_what_it_is_for():
    """RFC 8725 §3.1, RFC 7517 §4.2, §4.3."""
    refused = [
        public("ES256", use="enc"),
        public("ES256", key_ops=["sign", "deriveKey"]),
        public("ES256", alg="ES384"),
        public("RS256", kid=KEYS["ES256"].kid),
        public("ES256", kid="other"),
        public("ES256", kid=None),
    ]
    taken = [
        public("ES256", use=None, alg=None),
        public("ES256", key_ops=["verify"]),
    ]

    assert [keys(member).verify(token("ES256"), ALL) for member in refused] == [None] * 6
    assert all(keys(member).verify(token("ES256"), ALL) for member in taken)
    assert keys(public("RS256", alg="PS256")).verify(token("RS256"), ALL) is None


def test_without_a_kid_every_key_that_fits_is_tried():
    other = SigningKey.generate("ES256").public_jwk()

    assert keys(other, public("ES256", kid=None)).verify(token("ES256", kid=None), ALL)
    assert keys(other).verify(token("ES256", kid=None), ALL) is None


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", "", 1, None, ["ES256"], {}, True])
def test_none_is_no_algorithm_in_any_spelling(alg: Any):
    head = b64(json.dumps({"alg": alg}).encode())
    for signature in ("", "x", token("ES256").rpartition(".")[2]):
        forged = f"{head}.{b64(json.dumps(CLAIMS).encode())}.{signature}"
        assert EVERY.verify(forged, (*ALL, "none")) is None
        assert verify_embedded(forged, (*ALL, "none")) is None
        assert verify_hmac(forged, [SECRET, b""], ("HS256", "none")) is None


def test_a_public_key_is_never_an_hmac_secret():
    key = KEYS["RS256"]
    der = serialization.load_der_private_key(key.private_der(), None).public_key()
    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    pem, raw = serialization.Encoding.PEM, serialization.Encoding.DER
    spellings = [
        der.public_bytes(pem, spki),
        der.public_bytes(raw, spki),
        der.public_bytes(pem, pkcs1),
        json.dumps(key.public_jwk()).encode(),
        key.public_jwk()["n"].encode(),
        b"",
    ]
    for secret in spellings:
        head = b64(json.dumps({"alg": "HS256", "kid": key.kid}).encode())
        message = f"{head}.{b64(json.dumps(CLAIMS).encode())}"
        forged = f"{message}.{b64(hmac.digest(secret, message.encode(), hashlib.sha256))}"

        assert EVERY.verify(forged, (*ALL, "HS256")) is None
        assert verify_hmac(forged, [SECRET]) is None


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["x"], "x": 1},
        {"crit": []},
        {"b64": False},
        {"b64": True},
        {"jwk": KEYS["ES256"].public_jwk()},
        {"jku": "https://evil.example.com/keys"},
        {"x5u": "https://evil.example.com/keys"},
        {"x5c": ["MIIB"]},
        {"kid": ["x"]},
        {"kid": {}},
        {"kid": 7},
        {"kid": ""},
    ],
)
def test_a_header_that_would_choose_the_key_is_refused(header: dict[str, Any]):
    assert EVERY.verify(token("ES256", **header), ALL) is None


@pytest.mark.parametrize(
    "bad",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "\ud800.x.y",
        "." * 100,
        token("ES256") + ".x",
        token("ES256") + "=",
        token("ES256")[:-10],
        token("ES256").rpartition(".")[0] + ".",
        token("ES256").rpartition(".")[0] + "." + b64(bytes(64)),
        token("ES256", b"[]"),
        token("ES256", b"null"),
        token("ES256", b'{"a":1,"a":2}'),
        token("ES256", b'{"a":NaN}'),
        token("ES256", b"[" * 5000),
        token("ES256", b'{"a":' * 5000 + b"1" + b"}" * 5000),
        token("ES256", b"{}", x="y" * 3000),
        token("ES256", json.dumps({"a": "x" * MAX_TOKEN_LENGTH}).encode()),
    ],
)
def test_what_is_no_token_is_refused_fast(bad: str):
    with at_most(0.1):
        assert EVERY.verify(bad, ALL) is None
        assert verify_embedded(bad, ALL) is None
        assert verify_hmac(bad, [SECRET]) is None


@given(st.text(max_size=200))
def test_no_text_is_too_strange_to_be_refused(text: str):
    assert EVERY.verify(text, ALL) is None
    assert verify_hmac(text, [SECRET]) is None
    assert verify_embedded(text, ALL) is None
    peek(text)


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def rsa_jwk(bits: int, e: int = 65537) -> dict[str, Any]:
    return {"kty": "RSA", "n": number((1 << (bits - 1)) + 1), "e": number(e)}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        {"keys": {}},
        {"keys": [1]},
        {"keys": [{}]},
        {"keys": [{"kty": 1}]},
        {"keys": [{"kty": "RSA", "n": 1, "e": "AQAB"}]},
        {"keys": [{"kty": "RSA", "e": "AQAB"}]},
        {"keys": [{"kty": "RSA", "n": "!!", "e": "AQAB"}]},
        {"keys": [{"kty": "oct", "k": b64(SECRET)}]},
        {"keys": [public("ES256", d="AAAA")]},
        {"keys": [public("RS256", p="AAAA")]},
        {"keys": [public("ES256"), public("ES256")]},
        {"keys": [public("ES256", kid="x"), public("RS256", kid="x")]},
        {"keys": [public("ES256", kid="")]},
        {"keys": [public("ES256", kid=7)]},
        {"keys": [public("ES256", use=["sig"])]},
        {"keys": [public("ES256", key_ops="verify")]},
        {"keys": [public("ES256", key_ops=[1])]},
        {"keys": [public("ES256", x=b64(bytes(32)))]},
        {"keys": [public("ES256", x="AA")]},
        {"keys": [public("ES256", y=None)]},
        {"keys": [public("ES256", crv="P-384")]},
        {"keys": [rsa_jwk(1024)]},
        {"keys": [rsa_jwk(2047)]},
        {"keys": [rsa_jwk(4097)]},
        {"keys": [rsa_jwk(16_384)]},
        {"keys": [rsa_jwk(1_000_000)]},
        {"keys": [rsa_jwk(2048, e=1)]},
        {"keys": [rsa_jwk(2048, e=3)]},
        {"keys": [rsa_jwk(2048, e=65538)]},
        {"keys": [rsa_jwk(2048, e=(1 << 256) + 1)]},
        {"keys": [public("RS256", kid=str(count)) for count in range(21)]},
        {"keys": [public("RS256", kid=str(count)) for count in range(10_000)]},
    ],
)
def test_a_key_set_that_is_none_or_weak_is_refused_fast(document: Any):
    with at_most(0.1), pytest.raises(ValueError, match=r"[a-z]"):
        ClientKeys(document)


def test_keys_of_kinds_that_we_do_not_know_are_passed_over():
    """RFC 7517 §5."""
    strange = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        {"kty": "EC", "crv": "secp256k1", "x": "x", "y": "y"},
        {"kty": "OKP", "crv": "Ed448", "x": "x"},
    ]

    assert len(keys(*strange, public("ES256"))) == 1
    assert keys(*strange, public("ES256", x5c=["MIIB"], x5u="https://x.example")).verify(
        token("ES256"), ALL
    )


def test_a_secret_signs_with_hs256_and_every_live_one_is_tried():
    signed = jwt.encode(CLAIMS, SECRET, algorithm="HS256")
    read = verify_hmac(signed, [b"another secret, long enough to be one", SECRET])

    assert read is not None
    assert read.claims == CLAIMS
    assert verify_hmac(signed, [SECRET + b"x"]) is None
    assert verify_hmac(signed, []) is None
    assert verify_hmac(signed + "A", [SECRET]) is None
    assert verify_hmac(jwt.encode(CLAIMS, SECRET, algorithm="HS384"), [SECRET]) is None
    assert verify_hmac(token("ES256"), [SECRET]) is None


@pytest.mark.parametrize("alg", KEYS)
def test_a_proof_of_possession_brings_its_own_key(alg: str):
    """RFC 9449 §4.2."""
    bare = public(alg, kid=None, use=None, alg=None)
    good = token(alg, kid=None, jwk=bare)

    assert verify_embedded(good, ALL)
    assert verify_embedded(good, [name for name in ALL if name != alg]) is None
    for wrong in (None, {}, "x", public("ES256" if alg == "RS256" else "RS256"), bare | {"d": "x"}):
        assert verify_embedded(token(alg, kid=None, jwk=wrong), ALL) is None
    assert verify_embedded(token(alg, jwk=bare, x5c=["MIIB"]), ALL) is None


def test_what_nobody_verified_can_be_looked_at():
    assert peek(token("ES256")) == CLAIMS
    assert peek("x") is None
    assert peek(token("ES256", b"[]")) is None
    assert peek("a.b.c.d.e") is None


@pytest.mark.parametrize(("of_urls", "of_mails"), [("-", "+"), ("_", "/")])
def test_a_token_that_is_written_in_the_alphabet_of_mails_is_none(
    of_urls: str, of_mails: str
) -> None:
    written = token("ES256", json.dumps({"x": "~~~~????>>>>"}).encode())

    assert of_urls in written.split(".")[1]
    assert peek(written) is not None
    assert peek(written.replace(of_urls, of_mails)) is None


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
ELLIPTIC = {name: ec.generate_private_key(curve) for name, curve in CURVES.items()}


def readable(key: Any, **members: Any) -> tuple[dict[str, Any], jwk.Key]:
    kind = "RSA" if isinstance(key, rsa.RSAPrivateKey) else "EC"
    cls = jwk.RSAKey if kind == "RSA" else jwk.ECKey
    private = cls.import_key(key)
    return dict(private.as_dict(private=False)) | members, private


@pytest.mark.parametrize("enc", ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"])
@pytest.mark.parametrize(
    ("alg", "key"),
    [("RSA-OAEP", RSA), ("RSA-OAEP-256", RSA)]
    + [
        (alg, key)
        for alg in ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
        for key in ELLIPTIC.values()
    ],
)
def test_a_token_is_encrypted_to_the_client(alg: str, key: Any, enc: str):
    """RFC 7519 §5.2: nested, and `cty` says so."""
    member, private = readable(key, kid="box", use="enc")
    general, _ = readable(rsa.generate_private_key(public_exponent=65537, key_size=2048), kid="any")
    inner = token("ES256")

    sealed = keys(public("ES256"), general, member).encrypt(inner, alg=alg, enc=enc)
    opened = jwe.decrypt_compact(sealed, private, algorithms=[alg, enc])

    assert opened.plaintext == inner.encode()
    header = opened.headers()
    assert (header["cty"], header["kid"]) == ("JWT", "box")


def test_only_a_key_for_encryption_is_encrypted_to():
    member, _ = readable(RSA, kid="a")
    wrong = [
        member | {"use": "sig"},
        member | {"alg": "RSA-OAEP-256"},
        member | {"key_ops": ["verify"]},
        public("ES256", use=None, alg=None),
        public("EdDSA", use=None, alg=None),
    ]

    for other in wrong:
        with pytest.raises(ValueError, match="no key for RSA-OAEP"):
            keys(other).encrypt("x", alg="RSA-OAEP", enc="A128GCM")


def test_the_curves_that_we_take():
    okp = ed25519.Ed25519PrivateKey.generate()
    members = [dict(jwk.ECKey.import_key(key).as_dict(private=False)) for key in ELLIPTIC.values()]
    members.append(dict(jwk.OKPKey.import_key(okp).as_dict(private=False)))

    assert len(keys(*members)) == 4
