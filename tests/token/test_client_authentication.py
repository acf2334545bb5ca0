"""RFC 6749 §2.3: one mechanism, the registered one; every failure looks the same."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from oidc_server.domain import clients
from tests.factories import App, make_client
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site
from tests.wire import FORM, Raw, ask, row_counts

ENDPOINTS = ("/token", "/introspect", "/revoke")
FIELDS = {"/token": "grant_type=client_credentials"}


def basic(client_id: str, secret: str) -> tuple[str, str]:
    return basic_of(f"{client_id}:{secret}".encode())


def basic_of(pair: bytes) -> tuple[str, str]:
    return ("authorization", f"Basic {base64.b64encode(pair).decode()}")


def call(
    site: Site, path: str, *headers: tuple[str, str], fields: dict[str, str] | None = None
) -> Raw:
    body = f"{FIELDS.get(path, 'token=x')}&{urlencode(fields or {})}"
    return ask(site, "POST", path, headers=(FORM, *headers), body=body.encode())


def both(site: Site, method: str = "client_secret_basic", **changes: Any) -> App:
    return make_client(
        site,
        grant_types=("client_credentials", "authorization_code"),
        token_endpoint_auth_method=method,
        **changes,
    )


def refused(answer: Raw, status: int = 401, error: str = "invalid_client") -> None:
    assert answer.status == status, answer.text
    assert f'"error":"{error}"' in answer.text
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"
    if status == 401:
        assert (answer.header("www-authenticate") or "").startswith("Basic realm=")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("registered", ["client_secret_basic", "client_secret_post"])
def test_only_the_registered_method_is_accepted(site: Site, path: str, registered: str) -> None:
    app = both(site, registered)
    identity, secret = app.client_id, app.client_secret or ""
    ways: dict[str, Raw] = {
        "client_secret_basic": call(site, path, basic(identity, secret)),
        "client_secret_post": call(
            site, path, fields={"client_id": identity, "client_secret": secret}
        ),
        "none": call(site, path, fields={"client_id": identity}),
    }

    assert ways.pop(registered).status == 200
    for way, answer in ways.items():
        refused(answer)
        assert f"This came with {way}." in answer.text


def test_a_refusal_tells_nobody_what_is_registered(site: Site) -> None:
    known = both(site, "client_secret_post").client_id
    answers = {
        call(site, "/token", basic(identity, "wrong")).text.partition('"reference"')[0]
        for identity in (known, both(site).client_id, "unknown")
    }

    assert len(answers) == 1


@pytest.mark.parametrize("path", ["/token", "/revoke"])
def test_a_public_client_names_itself_and_nothing_more(site: Site, path: str) -> None:
    party, _, _, tokens = signed_in(site, client_type="spa")
    identity = party.app.client_id
    fields = {
        "/token": {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        "/revoke": {"token": tokens["refresh_token"]},
    }[path]

    for answer in (
        site.http.post(path, data=fields, auth=(identity, "x")),
        site.http.post(path, data={**fields, "client_id": identity, "client_secret": "x"}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert site.http.post(path, data={**fields, "client_id": identity}).status_code == 200


@pytest.mark.parametrize("path", ["/token", "/revoke"])
def test_a_public_client_may_name_itself_with_an_empty_secret(site: Site, path: str) -> None:
    """As Go's oauth2 and requests-oauthlib do; it is no way in for a client that has a secret."""
    party, _, _, tokens = signed_in(site, client_type="spa")
    fields = {
        "/token": {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        "/revoke": {"token": tokens["refresh_token"]},
    }[path]

    assert site.http.post(path, data=fields, auth=(party.app.client_id, "")).status_code == 200
    for registered in ("client_secret_basic", "client_secret_post"):
        refused(call(site, path, basic(both(site, registered).client_id, "")))


def test_a_public_client_may_not_introspect(site: Site) -> None:
    app = make_client(site, "spa")

    refused(call(site, "/introspect", fields={"client_id": app.client_id}))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_two_mechanisms_are_refused(site: Site, path: str) -> None:
    app = both(site)
    identity, secret = app.client_id, app.client_secret or ""
    header = basic(identity, secret)

    two = call(site, path, header, fields={"client_id": identity, "client_secret": secret})
    twice = call(site, path, header, header)
    other = call(site, path, header, fields={"client_id": "somebody else"})
    same = call(site, path, header, fields={"client_id": identity})
    assertion = call(site, path, header, fields={"client_assertion": "x"})

    refused(two, 400, "invalid_request")
    refused(twice, 400, "invalid_request")
    refused(other)
    refused(assertion, 400, "invalid_request")
    assert same.status == 200


WRONG_HEADERS: list[tuple[str, str]] = [
    ("authorization", "Basic"),
    ("authorization", "Basic "),
    ("authorization", "Basic !!!"),
    ("authorization", "Basic YQ"),
    ("authorization", "Basic \u00e9\u00e9\u00e9\u00e9"),
    ("authorization", "Basic " + "A" * 100_000),
    ("authorization", "Bearer"),
    ("authorization", "Bearer x"),
    ("authorization", ""),
    ("authorization", "Digest username=x"),
    basic_of(b"no-colon"),
    basic_of(b":"),
    basic_of(b":secret"),
    basic_of(b"\xff\xfe:\xff"),
    basic_of(b"client:\x00"),
    basic_of(b"cli\x00ent:x"),
    basic_of(b"client%00:x"),
    basic_of(b"%zz:%zz"),
    basic_of(b"%ff:%ff"),
    basic_of("\u00e9:\u00e9".encode()),
]


@pytest.mark.parametrize("header", WRONG_HEADERS)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_header_that_is_none_is_refused(site: Site, path: str, header: tuple[str, str]) -> None:
    before = row_counts(site)

    refused(call(site, path, header))

    assert row_counts(site) == before


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_reason_has_the_same_answer(site: Site, path: str) -> None:
    app, disabled, public = both(site), both(site), make_client(site, "spa")
    other_method = both(site, "client_secret_post")
    with site.db() as db:
        clients.change(db, disabled.client_id, disabled_at=site.clock.now)
    secret = app.client_secret or ""
    digests = [digest.hex() for digest in _digests(site, app)]

    answers = [
        call(site, path, basic(*pair))
        for pair in (
            ("unknown", "x"),
            ("unknown", secret),
            (app.client_id, "wrong"),
            (app.client_id, ""),
            (app.client_id, " "),
            (app.client_id, "null"),
            (app.client_id, secret[:-1]),
            (app.client_id, f"{secret} "),
            (app.client_id, secret.swapcase()),
            (app.client_id.swapcase(), secret),
            *((app.client_id, digest) for digest in digests),
            (disabled.client_id, disabled.client_secret or ""),
            (public.client_id, "x"),
            (other_method.client_id, other_method.client_secret or ""),
        )
    ]

    for answer in answers:
        refused(answer)
    assert len({_without_reference(answer) for answer in answers}) == 1
    assert digests


def test_identity_and_secret_are_form_encoded(site: Site) -> None:
    app = both(site)

    def encoded(text: str) -> str:
        return "".join(f"%{ord(char):02x}" for char in text)

    whole = call(site, "/token", basic(encoded(app.client_id), encoded(app.client_secret or "")))
    usual = call(site, "/token", basic(quote(app.client_id), quote(app.client_secret or "")))
    scheme = (
        "authorization",
        basic(app.client_id, app.client_secret or "")[1].replace("B", "b", 1),
    )

    assert whole.status == usual.status == call(site, "/token", scheme).status == 200


def test_an_empty_secret_is_no_secret(site: Site) -> None:
    app = both(site, "client_secret_post")

    refused(call(site, "/token", fields={"client_id": app.client_id, "client_secret": ""}))
    refused(call(site, "/token", fields={"client_id": "", "client_secret": "x"}))
    refused(call(site, "/token"))


def test_two_secrets_live_while_one_replaces_the_other(site: Site) -> None:
    app = both(site)
    with site.db() as db:
        new = clients.rotate_secret(
            db, app.client_id, now=site.clock.now, overlap=timedelta(hours=1)
        )
    old = app.client_secret or ""

    during = [call(site, "/token", basic(app.client_id, secret)).status for secret in (old, new)]
    site.clock.advance(3600)
    after = [call(site, "/token", basic(app.client_id, secret)).status for secret in (old, new)]

    assert during == [200, 200]
    assert after == [401, 200]


def test_a_disabled_client_comes_back_when_enabled(site: Site) -> None:
    party = RelyingParty(site, both(site))
    statuses = []

    for disabled_at in (None, site.clock.now, None):
        with site.db() as db:
            clients.change(db, party.app.client_id, disabled_at=disabled_at)
        statuses.append(party.token(grant_type="client_credentials").status_code)

    assert statuses == [200, 401, 200]


def _digests(site: Site, app: App) -> list[bytes]:
    with site.db() as db:
        return [digest for digest, _ in clients.load(db, app.client_id).secrets]


def _without_reference(answer: Raw) -> tuple[object, ...]:
    fixed = [pair for pair in answer.headers if pair[0] != "x-request-id"]
    return answer.status, answer.text.partition('"reference"')[0], tuple(fixed)
