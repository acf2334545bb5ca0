"""Nothing opens with a token but the token itself, and nobody is stricter than we are."""

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import strategies as st

from oidc_server.security.jose import (
    ALGORITHMS,
    ClientKeys,
    SigningKey,
    VerificationKeys,
    verify_hmac,
)
from tests.client_assertions import ASSERTION_TYPE, claims_for, key_set, sign
from tests.fuzz import tokens
from tests.fuzz.conftest import Feed
from tests.fuzz.food import Request, bent, encoded
from tests.fuzz.verdict import Judge
from tests.fuzz.world import JWT_BEARER, TRUSTED_ISSUER, World
from tests.site import ISSUER
from tests.wire import FORM

pytestmark = pytest.mark.slow

TYPES = ("JWT", "at+jwt", "dpop+jwt", "logout+jwt", "oauth-authz-req+jwt")
_UNCHECKED: Any = {
    f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


def test_a_token_that_is_not_as_it_was_given_opens_nothing(world: World, judge: Judge, feed: Feed):
    access_token, refresh_token = (world.values[n][0] for n in ("access_token", "refresh_token"))
    id_token = world.values["id_token_hint"][0]
    published = _published(world)
    bent_token = tokens.bent_tokens(access_token, [access_token, id_token], published)
    bent_refresh = bent(refresh_token.encode()).map(lambda value: value.decode("latin-1"))

    def open_with(token: str) -> None:
        if token in (access_token, refresh_token, id_token):
            return
        for request in _uses(world, token):
            answer = judge(request)
            if request.path == "/introspect":
                assert answer.status != 200 or json.loads(answer.body) == {"active": False}
            else:
                assert answer.status != 200, token

    feed(open_with, bent_token | bent_refresh, cases=120)


def test_what_clients_sign_may_say_anything(world: World, judge: Judge, feed: Feed):
    def say(piece: tuple[str, str]) -> None:
        judge(_saying(world, *piece))

    feed(say, st.one_of(*_sayings(world)), cases=200)


def test_every_token_of_ours_that_we_accept_is_accepted_by_pyjwt(feed: Feed):
    signers = [SigningKey.generate(alg) for alg in ALGORITHMS]
    published = [key.public_jwk() for key in signers]
    verification = VerificationKeys(published)
    texts = [json.dumps(key).encode() for key in published]

    def compare(token: str) -> None:
        claims = verification.verify(token, typ=TYPES, issuer=ISSUER)
        assert claims is None or claims == _pyjwt(token, published)

    for key in signers:
        header = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
        said = {"iss": ISSUER, "sub": "x", "exp": 1}
        good, other = key.sign(said), key.sign(said, "at+jwt")
        assert verification.verify(good, typ=TYPES, issuer=ISSUER) == said
        bent_token = tokens.bent_tokens(good, [good, other], texts)
        feed(compare, bent_token | tokens.strange_tokens(key, said, header), cases=60)


def test_every_token_of_a_client_that_we_accept_is_accepted_by_pyjwt(feed: Feed):
    signers = [SigningKey.generate(alg) for alg in ALGORITHMS]
    client_keys = ClientKeys(key_set(*signers))
    published = [key.public_jwk() for key in signers]

    def compare(token: str) -> None:
        found = client_keys.verify(token, ALGORITHMS)
        assert found is None or found.claims == _pyjwt(token, published)

    for key in signers:
        header = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
        good = key.sign({"iss": "x", "exp": 1})
        assert client_keys.verify(good, ALGORITHMS) is not None
        strange = tokens.strange_tokens(key, {"iss": "x", "exp": 1}, header)
        feed(compare, strange | tokens.bent_tokens(good, [good], [b"x"]), cases=50)


def test_every_token_with_a_secret_that_we_accept_is_accepted_by_pyjwt(feed: Feed):
    secret = "a secret of a client that is long enough to be one"
    good = sign(secret, {"iss": "x", "exp": 1})

    def compare(token: str) -> None:
        found = verify_hmac(token, [secret.encode()])
        if found is not None:
            assert found.claims == jwt.decode(token, secret, ["HS256"], options=_UNCHECKED)

    assert verify_hmac(good, [secret.encode()]) is not None
    feed(compare, tokens.bent_tokens(good, [good], [secret.encode(), b"x"]), cases=200)


def _pyjwt(token: str, keys: list[dict[str, Any]]) -> Any:
    """What another library reads in the token, with the same keys."""
    kid = jwt.get_unverified_header(token).get("kid")
    problem = "it finds no key"
    for key in keys:
        if kid is not None and key["kid"] != kid:
            continue
        try:
            return jwt.decode(token, jwt.PyJWK(key), [key["alg"]], options=_UNCHECKED)
        except jwt.InvalidTokenError as error:
            problem = str(error)
    raise AssertionError(f"PyJWT refuses it: {problem}")


def _uses(world: World, token: str) -> list[Request]:
    """Every place that takes an access token or a refresh token."""
    text = token.encode()
    proof, _ = world.authentication("basic")
    header = text.translate(None, b"\r\n\0").decode("latin-1").strip(" \t")  # as HTTP has it
    bearer = "" if header == world.values["access_token"][0] else header
    return [
        Request("GET", "/userinfo", headers=(("authorization", f"Bearer {bearer}"),)),
        Request("POST", "/userinfo", headers=(FORM,), body=encoded([(b"access_token", text)])),
        Request("POST", "/introspect", headers=(*proof, FORM), body=encoded([(b"token", text)])),
        Request(
            "POST",
            "/token",
            headers=(*proof, FORM),
            body=encoded([(b"grant_type", b"refresh_token"), (b"refresh_token", text)]),
        ),
    ]


def _sayings(world: World) -> list[st.SearchStrategy[tuple[str, str]]]:
    """By the place they are said at, tokens that the right key signed, whatever is in them."""
    issuer, now, key = world.site.issuer, world.site.clock.now, world.key
    client_id, party = world.clients["signing"].client_id, world.party
    claims = claims_for(client_id, issuer, now)
    proof = {"jti": "x", "htm": "POST", "htu": f"{issuer}/token", "iat": claims["iat"]}
    said: dict[str, dict[str, Any]] = {
        "client_assertion": claims,
        "assertion": claims_for(world.person.id, issuer, now, iss=TRUSTED_ISSUER),
        "request": {**party.parameters(), "iss": party.app.client_id, "aud": issuer},
        "dpop": proof,
        "dpop with a token": {**proof, "htm": "GET", "htu": f"{issuer}/userinfo", "ath": "x"},
    }
    header = {"alg": "ES256", "kid": key.kid, "typ": "JWT"}
    with_key = {"alg": "ES256", "typ": "dpop+jwt", "jwk": _bare(key)}
    return [
        st.tuples(
            st.just(place),
            tokens.strange_tokens(key, good, with_key if place.startswith("dpop") else header),
        )
        for place, good in said.items()
    ]


def _saying(world: World, place: str, token: str) -> Request:
    text = token.encode()
    service, _ = world.authentication("service")
    speaking, _ = world.authentication("speaking")
    by_itself = [(b"grant_type", b"client_credentials"), (b"scope", b"things")]
    match place:
        case "request":
            fields = [(b"client_id", world.party.app.client_id.encode()), (b"request", text)]
            return Request("GET", "/authorize", encoded(fields))
        case "assertion":
            fields = [(b"grant_type", JWT_BEARER.encode()), (b"assertion", text)]
            return Request("POST", "/token", headers=(*speaking, FORM), body=encoded(fields))
        case "dpop":
            headers = (*service, FORM, ("dpop", token))
            return Request("POST", "/token", headers=headers, body=encoded(by_itself))
        case "dpop with a token":
            bound = ("authorization", f"DPoP {world.values['access_token'][0]}")
            return Request("GET", "/userinfo", headers=(bound, ("dpop", token)))
    fields = [(b"client_assertion_type", ASSERTION_TYPE.encode()), (b"client_assertion", text)]
    return Request("POST", "/token", headers=(FORM,), body=encoded([*by_itself, *fields]))


def _published(world: World) -> list[bytes]:
    """The public keys, in every form that somebody might take for a secret."""
    keys = world.site.http.get("/jwks.json")
    texts = [json.dumps(key).encode() for key in keys.json()["keys"]]
    return [b"", keys.content, *texts, *(base64.b64encode(text) for text in texts)]


def _bare(key: SigningKey) -> dict[str, Any]:
    """The public key with nothing beside it."""
    public = key.public_jwk()
    return {name: public[name] for name in ("kty", "crv", "x", "y")}
