"""RFC 7523 §2.2 and §3, Core §9: a client that proves itself by what it signs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from httpx2 import Response

from oidc_server.domain import clients
from oidc_server.outbound.documents import RETRY_AFTER
from oidc_server.security.jose import SigningKey
from tests.client_assertions import KEYS, assertion_fields, claims_for, key_set, sign
from tests.factories import App, make_client, make_user
from tests.services.external_service import external_service, saying
from tests.site import ISSUER, Site
from tests.wire import row_counts

ALGORITHMS = tuple(KEYS)
KEY = KEYS["ES256"]
TOKEN = f"{ISSUER}/token"
BOTH = ("client_credentials", "authorization_code")
ENDPOINTS = {
    "/token": {"grant_type": "client_credentials"},
    "/introspect": {"token": "x"},
    "/revoke": {"token": "x"},
}


def signing_client(site: Site, **changes: Any) -> App:
    values: dict[str, Any] = {
        "grant_types": BOTH,
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": key_set(*KEYS.values()),
        **changes,
    }
    return make_client(site, **{key: value for key, value in values.items() if value is not None})


def secret_client(site: Site, **changes: Any) -> App:
    return make_client(
        site, grant_types=BOTH, token_endpoint_auth_method="client_secret_jwt", **changes
    )


def ask(site: Site, assertion: str, path: str = "/token", **fields: str) -> Response:
    return site.http.post(path, data=assertion_fields(assertion, **ENDPOINTS[path], **fields))


def assertion_of(
    site: Site, app: App, key: SigningKey | str = KEY, *, typ: str | None = "JWT", **changes: Any
) -> str:
    claims = claims_for(app.client_id, changes.pop("aud", TOKEN), site.clock.now, **changes)
    return sign(key, claims, **({} if typ == "JWT" else {"typ": typ}))


def refused(answer: Response, status: int = 401, error: str = "invalid_client") -> None:
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_client_proves_itself_by_its_key(site: Site, path: str, alg: str) -> None:
    app = signing_client(site)

    answer = ask(site, assertion_of(site, app, KEYS[alg]), path)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_client_proves_itself_by_its_secret(site: Site, path: str) -> None:
    app = secret_client(site)

    answer = ask(site, assertion_of(site, app, app.client_secret or ""), path)

    assert answer.status_code == 200, answer.text


def test_the_client_may_name_itself_beside_the_assertion(site: Site) -> None:
    app, other = signing_client(site), signing_client(site)

    same = ask(site, assertion_of(site, app), client_id=app.client_id)
    another = ask(site, assertion_of(site, app), client_id=other.client_id)

    assert same.status_code == 200
    refused(another)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_assertion_is_good_once(site: Site, path: str) -> None:
    """RFC 7523 §3, 7: `jti` is used up, at whatever endpoint."""
    app = signing_client(site)
    assertion = assertion_of(site, app)

    first = ask(site, assertion, path)
    again = [ask(site, assertion, each) for each in ENDPOINTS]

    assert first.status_code == 200
    for answer in again:
        refused(answer)
        assert answer.json()["error_description"].endswith("and its jti new.")


def test_an_assertion_is_used_up_by_a_request_that_is_refused_later(site: Site) -> None:
    app = signing_client(site)
    assertion = assertion_of(site, app)

    late = ask(site, assertion, scope="no-such-scope")

    refused(late, 400, "invalid_scope")
    refused(ask(site, assertion))


def test_a_used_assertion_books_no_guess_at_a_password(site: Site) -> None:
    app = signing_client(site, grant_types=("password", "client_credentials"))
    person, assertion = make_user(site), assertion_of(site, app)
    guess = {"grant_type": "password", "username": person.username, "password": "wrong"}
    assert ask(site, assertion).status_code == 200

    for _ in range(30):
        answer = site.http.post("/token", data=assertion_fields(assertion, **guess))
        refused(answer)

    own = assertion_fields(assertion_of(site, app), **{**guess, "password": person.password})
    assert site.http.post("/token", data=own).status_code == 200


def test_the_same_jti_of_another_client_is_another(site: Site) -> None:
    one, two = signing_client(site), signing_client(site)

    answers = [ask(site, assertion_of(site, app, jti="same")) for app in (one, two)]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_jti_is_remembered_for_longer_than_its_assertion_lives(site: Site) -> None:
    app = signing_client(site)
    assertion = assertion_of(site, app, exp=int(site.clock.now.timestamp()) + 3600)
    assert ask(site, assertion).status_code == 200

    for _ in range(12):
        site.clock.advance(300)
        refused(ask(site, assertion))


def seconds(count: float) -> Callable[[Site], float]:
    return lambda site: site.clock.now.timestamp() + count


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "no exp": {"exp": None},
    "exp past": {"exp": seconds(-300)},
    "exp now": {"exp": seconds(0)},
    "exp far ahead": {"exp": seconds(3700)},
    "exp years ahead": {"exp": seconds(10**9)},
    "exp as text": {"exp": "4000000000"},
    "exp true": {"exp": True},
    "exp beyond numbers": {"exp": 1e30},
    "iat in the future": {"iat": seconds(61)},
    "nbf in the future": {"nbf": seconds(61)},
    "iat as text": {"iat": "x"},
    "no jti": {"jti": None},
    "empty jti": {"jti": ""},
    "jti as number": {"jti": 7},
    "long jti": {"jti": "x" * 257},
    "no iss": {"iss": None},
    "other iss": {"iss": "somebody"},
    "no sub": {"sub": None},
    "other sub": {"sub": "somebody"},
    "sub as list": {"sub": ["somebody"]},
    "no aud": {"aud": None},
    "aud of another server": {"aud": "https://other.example.com"},
    "aud in a list": {"aud": [TOKEN]},
    "aud in a list with another": {"aud": [TOKEN, "https://other.example.com"]},
    "aud with a slash": {"aud": f"{ISSUER}/"},
    "aud of another endpoint": {"aud": f"{ISSUER}/authorize"},
    "aud empty": {"aud": ""},
}


@pytest.mark.parametrize("changes", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_claims_that_do_not_fit_are_refused(site: Site, changes: dict[str, Any]) -> None:
    app, with_secret = signing_client(site), secret_client(site)
    before = row_counts(site)
    values = {name: value(site) if callable(value) else value for name, value in changes.items()}

    for client, key in ((app, KEY), (with_secret, with_secret.client_secret or "")):
        claims = claims_for(client.client_id, TOKEN, site.clock.now)
        claims = {name: value for name, value in {**claims, **values}.items() if value is not None}
        refused(ask(site, sign(key, claims)))

    assert row_counts(site) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": None, "nbf": None},
        {"iat": seconds(10), "nbf": seconds(10)},
        {"nbf": seconds(-(10**6))},
        {"exp": seconds(3600)},
        {"exp": seconds(0.5)},
        {"jti": "x" * 256},
        {"jti": "\u00e9 \0 \U0001f511"},
        {"aud": ISSUER},
        {"more": {"than": ["we", "know"]}},
    ],
)
def test_clocks_may_differ_and_claims_may_be_more(site: Site, changes: dict[str, Any]) -> None:
    app = signing_client(site)
    values = {name: value(site) if callable(value) else value for name, value in changes.items()}

    assert ask(site, assertion_of(site, app, **values)).status_code == 200


@pytest.mark.parametrize(
    ("typ", "status"),
    [
        (None, 200),
        ("JWT", 200),
        ("jwt", 200),
        ("client-authentication+jwt", 200),
        ("application/client-authentication+jwt", 200),
        ("at+jwt", 401),
        ("dpop+jwt", 401),
        ("logout+jwt", 401),
        ("", 401),
    ],
)
def test_a_token_of_another_kind_is_no_assertion(site: Site, typ: Any, status: int) -> None:
    """RFC 8725 §3.11."""
    app = signing_client(site)

    assert ask(site, assertion_of(site, app, typ=typ)).status_code == status


def test_a_token_of_ours_is_no_assertion(site: Site) -> None:
    app = signing_client(site)
    access_token = ask(site, assertion_of(site, app)).json()["access_token"]

    refused(ask(site, access_token, client_id=app.client_id))


def test_a_key_of_somebody_else_does_not_prove_it(site: Site) -> None:
    app = signing_client(site, jwks=key_set(KEY))
    with_secret = secret_client(site)
    stranger = SigningKey.generate("ES256")
    before = row_counts(site)

    for answer in (
        ask(site, assertion_of(site, app, stranger)),
        ask(site, assertion_of(site, app, KEYS["RS256"])),
        ask(site, assertion_of(site, app, "a guess that is long enough to be a secret")),
        ask(site, assertion_of(site, with_secret, "a guess that is long enough to be one")),
        ask(site, assertion_of(site, with_secret, KEY)),
        ask(site, assertion_of(site, with_secret, with_secret.client_id * 3)),
    ):
        refused(answer)

    assert row_counts(site) == before


def test_an_assertion_that_failed_does_not_use_up_its_jti(site: Site) -> None:
    app = signing_client(site)

    refused(ask(site, assertion_of(site, app, SigningKey.generate("ES256"), jti="guessed")))

    assert ask(site, assertion_of(site, app, jti="guessed")).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
def test_the_method_and_the_algorithm_are_the_registered_ones(site: Site, path: str) -> None:
    """RFC 7591 §2, Registration §2 `token_endpoint_auth_signing_alg`."""
    pinned = signing_client(site, token_endpoint_auth_signing_alg="PS256")
    signing, with_secret = signing_client(site), secret_client(site)
    basic = make_client(site, grant_types=BOTH)

    assert ask(site, assertion_of(site, pinned, KEYS["PS256"]), path).status_code == 200
    for alg in ("RS256", "ES256", "EdDSA"):
        refused(ask(site, assertion_of(site, pinned, KEYS[alg]), path))
    refused(ask(site, assertion_of(site, basic, basic.client_secret or ""), path))
    refused(ask(site, assertion_of(site, basic, KEY), path))
    fields = ENDPOINTS[path]
    for client in (signing, with_secret):
        identity, secret = client.client_id, client.client_secret or "x"
        refused(site.http.post(path, data=fields, auth=(identity, secret)))
        body = {**fields, "client_id": identity}
        refused(site.http.post(path, data={**body, "client_secret": secret}))
        refused(site.http.post(path, data=body))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_two_mechanisms_are_refused_and_use_nothing_up(site: Site, path: str) -> None:
    """RFC 6749 §2.3."""
    app = secret_client(site)
    secret = app.client_secret or ""
    assertion = assertion_of(site, app, secret)
    fields = assertion_fields(assertion, **ENDPOINTS[path])

    header = site.http.post(path, data=fields, auth=(app.client_id, secret))
    body = site.http.post(path, data={**fields, "client_secret": secret})

    refused(header, 400, "invalid_request")
    refused(body, 400, "invalid_request")
    assert ask(site, assertion, path).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion_type": ""},
        {"client_assertion_type": None},
        {"client_assertion": None},
        {"client_assertion": ""},
        {"client_assertion": "x"},
        {"client_assertion": "a.b.c"},
        {"client_assertion": "\u00e9.\u00e9.\u00e9"},
        {"client_assertion": "." * 20_000},
        {"client_assertion": "e30.e30.e30"},
    ],
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_what_is_no_assertion_is_refused(site: Site, path: str, fields: dict[str, Any]) -> None:
    app = signing_client(site)
    before = row_counts(site)
    good = assertion_fields(assertion_of(site, app), **ENDPOINTS[path])

    sent = {name: value for name, value in {**good, **fields}.items() if value is not None}
    refused(site.http.post(path, data={**sent, "client_id": app.client_id}))

    assert row_counts(site) == before


def test_every_reason_has_the_same_answer(site: Site) -> None:
    app, disabled = signing_client(site), signing_client(site)
    with site.db() as db:
        clients.change(db, disabled.client_id, disabled_at=site.clock.now)
    unknown = App("unknown", None, "")

    answers = [
        ask(site, assertion_of(site, app, SigningKey.generate("ES256"))),
        ask(site, assertion_of(site, app, aud="https://other.example.com")),
        ask(site, assertion_of(site, disabled)),
        ask(site, assertion_of(site, unknown)),
    ]

    bodies = [answer.json() for answer in answers]
    assert len({(body["error"], body["error_description"]) for body in bodies}) == 1
    assert len({answer.headers["www-authenticate"] for answer in answers}) == 1


def test_two_secrets_live_while_one_replaces_the_other(site: Site) -> None:
    app = secret_client(site)
    with site.db() as db:
        new = clients.rotate_secret(
            db,
            app.client_id,
            now=site.clock.now,
            overlap=timedelta(hours=1),
            vault=site.runtime.vault,
        )
    both = (app.client_secret or "", new)

    during = [ask(site, assertion_of(site, app, secret)).status_code for secret in both]
    site.clock.advance(3600)
    after = [ask(site, assertion_of(site, app, secret)).status_code for secret in both]

    assert during == [200, 200]
    assert after == [401, 200]


def test_a_secret_that_signs_is_stored_sealed_and_others_are_not_stored(site: Site) -> None:
    app, basic = secret_client(site), make_client(site)
    with site.db() as db:
        [(_, sealed, _)] = clients.load(db, app.client_id).sealed_secrets
        others = clients.load(db, basic.client_id).sealed_secrets

    assert (app.client_secret or "x").encode() not in sealed
    assert others == ()


def test_keys_are_those_of_the_newest_registration(site: Site) -> None:
    app = signing_client(site, jwks=key_set(KEY))
    assert ask(site, assertion_of(site, app)).status_code == 200
    with site.db() as db:
        metadata = clients.load(db, app.client_id).metadata.to_document()
        metadata["jwks"] = key_set(KEYS["PS256"])
        clients.change(db, app.client_id, metadata=clients.ClientMetadata.from_document(metadata))

    refused(ask(site, assertion_of(site, app)))
    assert ask(site, assertion_of(site, app, KEYS["PS256"])).status_code == 200


def test_the_password_grant_uses_an_assertion_once(site: Site) -> None:
    """The password is checked ahead of the transaction in which the client proves itself."""
    app = signing_client(site, grant_types=("password",), redirect_uris=())
    person = make_user(site)
    assertion = assertion_of(site, app)
    fields = assertion_fields(
        assertion, grant_type="password", username=person.username, password=person.password
    )

    first = site.http.post("/token", data=fields)
    again = site.http.post("/token", data=fields)

    assert first.status_code == 200, first.text
    refused(again)


def fapi_client(site: Site) -> App:
    return signing_client(site, profile="fapi2")


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
def test_fapi_knows_the_issuer_only(site: Site, alg: str) -> None:
    """FAPI 2.0 Security Profile §5.3.2.1."""
    app = fapi_client(site)

    for aud in (TOKEN, f"{ISSUER}/par", f"{ISSUER}/", [ISSUER], [ISSUER, TOKEN]):
        refused(ask(site, assertion_of(site, app, KEYS[alg], aud=aud), "/introspect"))
    good = ask(site, assertion_of(site, app, KEYS[alg], aud=ISSUER), "/introspect")
    assert good.status_code == 200


def test_fapi_has_no_rs256(site: Site) -> None:
    """FAPI 2.0 Security Profile §5.4.1."""
    app = fapi_client(site)

    refused(ask(site, assertion_of(site, app, KEYS["RS256"], aud=ISSUER), "/introspect"))


def test_discovery_tells_methods_and_algorithms(site: Site) -> None:
    """RFC 8414 §2."""
    document = site.http.get("/.well-known/openid-configuration").json()

    for kind in ("token", "revocation", "introspection"):
        methods = document[f"{kind}_endpoint_auth_methods_supported"]
        assert {"private_key_jwt", "client_secret_jwt"} <= set(methods)
        algorithms = document[f"{kind}_endpoint_auth_signing_alg_values_supported"]
        assert set(algorithms) == {*ALGORITHMS, "HS256"}


# · keys that are published


LOOPBACK = "http://localhost:8000"


@pytest.fixture
def here(start_site: Callable[..., Site]) -> Site:
    """A server that may call external services on this machine."""
    return start_site(issuer=LOOPBACK, breaker_failures=1000)


def publishing_client(site: Site, jwks_uri: str) -> App:
    return signing_client(site, jwks=None, jwks_uri=jwks_uri)


def ask_here(site: Site, app: App, key: SigningKey = KEY) -> Response:
    return ask(site, assertion_of(site, app, key, aud=LOOPBACK))


def publishing(*keys: SigningKey) -> Any:
    return saying(orjson.dumps(key_set(*keys)), content_type="application/jwk-set+json")


def test_published_keys_are_fetched_once(here: Site) -> None:
    with external_service(publishing(KEY)) as other:
        app = publishing_client(here, other.url("/keys"))

        answers = [ask_here(here, app) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [(method, path) for method, path, *_ in other.asked] == [("GET", "/keys")]


def test_a_new_key_is_found_at_once_and_an_old_one_ends(here: Site) -> None:
    new = SigningKey.generate("ES256")
    with external_service(publishing(KEY)) as other:
        app = publishing_client(here, other.url())
        assert ask_here(here, app).status_code == 200
        other.behaviour = publishing(new)

        here.clock.advance(RETRY_AFTER)
        rotated, old = ask_here(here, app, new), ask_here(here, app)

    assert rotated.status_code == 200
    refused(old)


def test_a_withdrawn_key_ends_when_the_copy_is_too_old(here: Site) -> None:
    with external_service(publishing(KEY)) as other:
        app = publishing_client(here, other.url())
        assert ask_here(here, app).status_code == 200
        other.behaviour = publishing(KEYS["PS256"])

        here.clock.advance(timedelta(minutes=4))
        young = ask_here(here, app)
        here.clock.advance(timedelta(minutes=2))
        old = ask_here(here, app)

    assert young.status_code == 200
    refused(old)


def test_nobody_can_make_us_hammer_a_publisher(here: Site) -> None:
    with external_service(publishing(KEY)) as other:
        app = publishing_client(here, other.url())
        assert ask_here(here, app).status_code == 200

        for _ in range(20):
            refused(ask_here(here, app, SigningKey.generate("ES256")))
            here.clock.advance(1)
        asked = len(other.asked)

    assert asked <= 3


def test_garbage_and_expired_assertions_make_us_ask_nobody(here: Site) -> None:
    with external_service(publishing(KEY)) as other:
        app = publishing_client(here, other.url())

        refused(ask(here, assertion_of(here, app, aud="https://other.example.com")))
        refused(ask(here, assertion_of(here, app, aud=LOOPBACK, exp=1)))

    assert other.asked == []


def test_a_copy_serves_on_while_its_publisher_is_away_but_not_forever(here: Site) -> None:
    with external_service(publishing(KEY)) as other:
        app = publishing_client(here, other.url())
        assert ask_here(here, app).status_code == 200

    here.clock.advance(timedelta(minutes=50))
    meanwhile = ask_here(here, app)
    here.clock.advance(timedelta(minutes=15))
    later = ask_here(here, app)

    assert meanwhile.status_code == 200
    refused(later, 503, "temporarily_unavailable")
    assert int(later.headers["retry-after"]) > 0


def test_without_keys_no_door_is_open(here: Site) -> None:
    with external_service(saying(b"", status=500)) as other:
        app = publishing_client(here, other.url())
        before = row_counts(here)

        answers = [ask_here(here, app) for _ in range(5)]

    for answer in answers:
        refused(answer, 503, "temporarily_unavailable")
    assert row_counts(here) == before
    assert len(other.asked) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html>", 200),
        (b"[]", 200),
        (b'{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', 200),
        (b'{"keys":[]}', 404),
        (b'{"keys":[]}', 302),
        (b'{"keys":[]}', 200),
        (b'{"keys":[' + b"{}," * 10_000 + b"{}]}", 200),
        (b"x" * 100_000, 200),
    ],
)
def test_what_is_no_key_set_proves_nothing(here: Site, body: bytes, status: int) -> None:
    with external_service(saying(body, status=status)) as other:
        app = publishing_client(here, other.url())

        refused(ask_here(here, app))


def test_a_publisher_inside_our_network_is_not_asked(site: Site) -> None:
    with external_service(publishing(KEY)) as other:
        for uri in (other.url(), f"https://127.0.0.1:{other.port}/"):
            app = publishing_client(site, uri)

            refused(ask(site, assertion_of(site, app)))

    assert other.asked == []
