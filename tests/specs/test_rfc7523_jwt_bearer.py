"""RFC 7523 §2.1 and §3: an issuer that is trusted speaks for a user."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from httpx2 import Response
from sqlalchemy import update

from oidc_server.domain import endings, trusted_issuers
from oidc_server.domain.trusted_issuers import TrustedIssuerRow
from oidc_server.security.jose import SigningKey
from tests.client_assertions import KEYS, claims_for, key_set, sign
from tests.factories import App, Person, make_client, make_resource, make_user
from tests.held_up import held_up
from tests.relying_party import RelyingParty
from tests.services.external_service import external_service, saying
from tests.site import ISSUER, Site
from tests.tokens import claims_of
from tests.wire import row_counts

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
COMPANY = "https://people.example.org"
API = "https://api.example.net"
KEY = KEYS["ES256"]


def trust(site: Site, issuer: str = COMPANY, **changes: Any) -> None:
    values: dict[str, Any] = {
        "jwks": key_set(*KEYS.values()),
        "jwks_uri": None,
        "audience": None,
        "subject": "sub",
        **changes,
    }
    with site.db() as db:
        trusted_issuers.add(db, issuer=issuer, now=site.clock.now, **values)


@pytest.fixture
def person(site: Site) -> Person:
    return make_user(site)


@pytest.fixture
def party(site: Site) -> RelyingParty:
    trust(site)
    return RelyingParty(site, make_bearer(site))


def make_bearer(site: Site) -> App:
    return make_client(
        site, "service", grant_types=(JWT_BEARER,), scopes=("openid", "profile", "ledgers.read")
    )


def assertion_of(site: Site, about: str, key: SigningKey | str = KEY, **changes: Any) -> str:
    header = {"typ": changes.pop("typ")} if "typ" in changes else {}
    values = {"iss": COMPANY, "aud": ISSUER, "sub": about, **changes}
    claims = claims_for(about, values.pop("aud"), site.clock.now, **values)
    return sign(key, claims, **header)


def ask(party: RelyingParty, assertion: str, **fields: str) -> Response:
    return party.token(grant_type=JWT_BEARER, assertion=assertion, **fields)


def refused(answer: Response, error: str = "invalid_grant", status: int = 400) -> None:
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text


@pytest.mark.parametrize("alg", KEYS)
def test_an_assertion_gives_an_access_token_for_the_user_it_names(
    site: Site, party: RelyingParty, person: Person, alg: str
) -> None:
    answer = ask(party, assertion_of(site, person.id, KEYS[alg]), scope="ledgers.read")

    assert answer.status_code == 200, answer.text
    body = answer.json()
    claims = claims_of(body["access_token"])
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (claims["sub"], claims["client_id"]) == (person.id, party.app.client_id)
    assert (claims["aud"], claims["scope"]) == (ISSUER, "ledgers.read")
    assert {"auth_time", "amr", "sid"}.isdisjoint(claims)
    assert party.introspect(body["access_token"])["active"] is True


def test_nobody_signed_in_so_there_is_no_id_token_and_no_refresh_token(
    site: Site, party: RelyingParty, person: Person
) -> None:
    refused(ask(party, assertion_of(site, person.id), scope="openid"), "invalid_scope")
    refused(ask(party, assertion_of(site, person.id), scope="payments"), "invalid_scope")

    body = ask(party, assertion_of(site, person.id), scope="openid profile").json()

    assert body["scope"] == "profile"
    assert "id_token" not in body


def test_an_assertion_may_ask_for_an_audience(
    site: Site, party: RelyingParty, person: Person
) -> None:
    make_resource(site, API)

    answer = ask(party, assertion_of(site, person.id), resource=API)

    assert claims_of(answer.json()["access_token"])["aud"] == API
    other = ask(party, assertion_of(site, person.id), resource="https://unknown.example")
    refused(other, "invalid_target")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://stranger.example"},
        {"iss": None},
        {"iss": "a" * 10_000},
        {"iss": ["https://people.example.org"]},
        {"sub": None},
        {"sub": ""},
        {"sub": "nobody"},
        {"sub": "\0"},
        {"sub": "018f0000-0000-7000-8000-000000000000"},
        {"sub": {"id": 1}},
        {"aud": None},
        {"aud": "https://other.example"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": []},
        {"aud": [[ISSUER]]},
        {"jti": None},
        {"jti": ""},
        {"jti": "j" * 257},
        {"jti": 7},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1},
        {"exp": 9_999_999_999},
        {"exp": True},
        {"nbf": 9_999_999_999},
        {"iat": 9_999_999_999},
        {"typ": "at+jwt"},
        {"typ": "client-authentication+jwt"},
    ],
)
def test_what_is_wrong_with_an_assertion_is_refused_and_leaves_nothing(
    site: Site, party: RelyingParty, person: Person, changes: dict[str, Any]
) -> None:
    before = row_counts(site)

    refused(ask(party, assertion_of(site, person.id, **changes)))

    assert row_counts(site) == before


@pytest.mark.parametrize("assertion", ["x", "a.b.c", "e30.e30.", "é" * 50, "." * 5000])
def test_what_is_no_assertion_is_refused(party: RelyingParty, assertion: str) -> None:
    refused(ask(party, assertion))


def test_a_request_without_an_assertion_is_an_invalid_request(party: RelyingParty) -> None:
    refused(party.token(grant_type=JWT_BEARER), "invalid_request")


def test_an_audience_may_be_a_list_of_names_of_ours(
    site: Site, party: RelyingParty, person: Person
) -> None:
    both = [ISSUER, f"{ISSUER}/token"]

    assert ask(party, assertion_of(site, person.id, aud=both)).status_code == 200


def test_an_issuer_may_know_us_by_another_name(site: Site, person: Person) -> None:
    trust(site, audience="urn:example:ledgers")
    party = RelyingParty(site, make_bearer(site))

    answer = ask(party, assertion_of(site, person.id, aud="urn:example:ledgers"))

    assert answer.status_code == 200


def test_only_the_keys_of_the_issuer_count(site: Site, party: RelyingParty, person: Person) -> None:
    trust(site, "https://second.example", jwks=key_set(SigningKey.generate("ES256")))
    [own] = [key for key in site.http.get("/jwks.json").json()["keys"] if key["alg"] == "ES256"]

    refused(ask(party, assertion_of(site, person.id, SigningKey.generate("ES256"))))
    refused(ask(party, assertion_of(site, person.id, iss="https://second.example")))
    refused(ask(party, assertion_of(site, person.id, party.app.client_secret or "")))
    refused(ask(party, assertion_of(site, person.id, own["x"] * 2)))


def test_an_assertion_is_used_once(site: Site, party: RelyingParty, person: Person) -> None:
    assertion = assertion_of(site, person.id)
    assert ask(party, assertion).status_code == 200

    refused(ask(party, assertion))
    refused(ask(RelyingParty(site, make_bearer(site)), assertion))


def test_an_assertion_that_was_refused_for_its_scope_can_be_used_again(
    site: Site, party: RelyingParty, person: Person
) -> None:
    assertion = assertion_of(site, person.id)
    refused(ask(party, assertion, scope="payments"), "invalid_scope")

    assert ask(party, assertion).status_code == 200


def test_a_disabled_user_is_named_in_vain_and_loses_what_was_given(
    site: Site, party: RelyingParty, person: Person
) -> None:
    token = ask(party, assertion_of(site, person.id)).json()["access_token"]

    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)

    refused(ask(party, assertion_of(site, person.id)))
    assert party.introspect(token) == {"active": False}


def test_nothing_is_given_for_a_user_who_is_being_disabled(
    site: Site, party: RelyingParty, person: Person
) -> None:
    """It would be good again with the account."""
    with site.db() as db:
        endings.disable_user(db, person.id, site.clock.now)
        asking = held_up(lambda: ask(party, assertion_of(site, person.id)))

    refused(asking())


def test_an_issuer_that_names_people_by_address_needs_a_verified_one(site: Site) -> None:
    trust(site, subject="email")
    party = RelyingParty(site, make_bearer(site))
    known = make_user(site, email="Ada@example.com")
    make_user(site, email="eve@example.com", email_verified=False)

    answer = ask(party, assertion_of(site, "ada@example.com"))

    assert claims_of(answer.json()["access_token"])["sub"] == known.id
    refused(ask(party, assertion_of(site, "eve@example.com")))
    refused(ask(party, assertion_of(site, known.id)))
    refused(ask(party, assertion_of(site, known.username)))


def test_an_issuer_that_is_trusted_no_more_is_refused(
    site: Site, party: RelyingParty, person: Person
) -> None:
    with site.db() as db:
        trusted_issuers.remove(db, COMPANY)

    refused(ask(party, assertion_of(site, person.id)))


def test_the_old_key_of_an_issuer_is_dead_once_it_is_named_anew(
    site: Site, party: RelyingParty, person: Person
) -> None:
    assert ask(party, assertion_of(site, person.id)).status_code == 200
    new_key = SigningKey.generate("ES256")

    with site.db() as db:
        trusted_issuers.remove(db, COMPANY)
    trust(site, jwks=key_set(new_key))

    refused(ask(party, assertion_of(site, person.id)))
    assert ask(party, assertion_of(site, person.id, new_key)).status_code == 200


def test_a_client_that_is_not_registered_for_it_is_refused(site: Site, person: Person) -> None:
    trust(site)
    party = RelyingParty(site, make_client(site))

    refused(ask(party, assertion_of(site, person.id)), "unauthorized_client")


def test_an_assertion_does_not_replace_the_authentication_of_the_client(
    site: Site, party: RelyingParty, person: Person
) -> None:
    form = {"client_id": party.app.client_id, "grant_type": JWT_BEARER}

    answer = site.http.post("/token", data={**form, "assertion": assertion_of(site, person.id)})

    refused(answer, "invalid_client", 401)


def test_keys_that_an_issuer_publishes_are_fetched_and_fetched_again_when_they_change(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(issuer="http://localhost:8000", outbound_allow=("127.0.0.0/8",))
    new = SigningKey.generate("ES256")
    with external_service(saying(orjson.dumps(key_set(KEY)))) as other:
        trust(site, jwks=None, jwks_uri="https://people.example.org/jwks")
        with site.db() as db:
            db.session.execute(update(TrustedIssuerRow).values(jwks_uri=other.url()))
        party = RelyingParty(site, make_bearer(site))
        person = make_user(site)
        first = ask(party, assertion_of(site, person.id, aud=site.issuer))
        other.behaviour = saying(orjson.dumps(key_set(new)))
        site.clock.advance(11)
        second = ask(party, assertion_of(site, person.id, new, aud=site.issuer))
        old = ask(party, assertion_of(site, person.id, aud=site.issuer))

    assert (first.status_code, second.status_code) == (200, 200), (first.text, second.text)
    refused(old)
