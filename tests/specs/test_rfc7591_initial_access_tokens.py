"""RFC 7591 §3: who may register a client."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from oidc_server import domain
from oidc_server.domain import clients, registration_tokens
from tests.client_registration.registrations import (
    make_initial_access_token,
    manage,
    register,
)
from tests.site import Site
from tests.wire import row_counts

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def token_site(start_site: Callable[..., Site]) -> Site:
    return start_site(registration="token")


def test_without_registration_there_is_nothing_and_discovery_does_not_say_otherwise(
    site: Site,
) -> None:
    _, token = make_initial_access_token(site)

    answers = [register(site), register(site, token=token)]

    assert {answer.status_code for answer in answers} == {404}
    assert "registration_endpoint" not in site.http.get(DISCOVERY).json()
    assert row_counts(site)["clients"] == 0


def test_with_registration_discovery_says_where(token_site: Site, open_site: Site) -> None:
    for site in (token_site, open_site):
        found = site.http.get(DISCOVERY).json()

        assert found["registration_endpoint"] == f"{site.issuer}/register"


def test_3_a_token_lets_in_as_many_clients_as_it_says(token_site: Site) -> None:
    token_id, token = make_initial_access_token(token_site, uses=2)

    answers = [register(token_site, token=token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 401]
    assert 'error="invalid_token"' in answers[2].headers["www-authenticate"]
    assert row_counts(token_site)["clients"] == 2
    with token_site.db() as db:
        [known] = registration_tokens.list_tokens(db)
    assert (known.id, known.used) == (token_id, 2)


def test_a_registration_that_is_refused_costs_no_use(token_site: Site) -> None:
    _, token = make_initial_access_token(token_site)

    refused = register(token_site, token=token, redirect_uris=["javascript:alert(1)"])
    accepted = register(token_site, token=token)

    assert (refused.status_code, accepted.status_code) == (400, 201)


def test_no_token_and_every_wrong_one_get_401_and_leave_nothing(token_site: Site) -> None:
    _, expired = make_initial_access_token(token_site, hours=1)
    revoked_id, revoked = make_initial_access_token(token_site)
    with token_site.db() as db:
        registration_tokens.revoke(db, revoked_id, token_site.clock.now)
    token_site.clock.advance(timedelta(hours=1))

    bare = register(token_site)
    wrong = [register(token_site, token=token) for token in (expired, revoked, "x", "a.b.c")]

    assert bare.status_code == 401
    assert "error" not in bare.headers["www-authenticate"]
    assert bare.json()["error_description"].startswith("Send the initial access token:")
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.json()["error_description"] for answer in wrong}) == 1
    assert row_counts(token_site)["clients"] == 0


def test_where_none_is_needed_a_wrong_one_is_still_wrong(open_site: Site) -> None:
    assert register(open_site, token="x").status_code == 401
    assert register(open_site).status_code == 201


def test_whoever_was_let_in_may_have_more(token_site: Site) -> None:
    """Client credentials, and the scopes that the operator named; for as long as it is there."""
    _, token = make_initial_access_token(token_site, scopes="reports:read", uses=2)
    service = {
        "redirect_uris": None,
        "grant_types": ["client_credentials"],
        "scope": "reports:read reports:write",
        "client_name": "Your ID reports",
    }

    made = register(token_site, token=token, **service)
    client = made.json()
    changed = manage(token_site, "PUT", client, **{**service, "client_name": "Reports"})

    assert made.status_code == 201, made.text
    assert (client["scope"], client["response_types"]) == ("reports:read", [])
    with token_site.db() as db:
        assert clients.load(db, client["client_id"]).type == "service"
    answer = token_site.http.post(
        "/token",
        data={"grant_type": "client_credentials", "scope": "reports:read"},
        auth=(client["client_id"], client["client_secret"]),
    )
    assert answer.status_code == 200, answer.text
    assert changed.json()["scope"] == "reports:read"


def test_the_database_holds_no_token_that_works(token_site: Site) -> None:
    _, token = make_initial_access_token(token_site)
    client = register(token_site, token=token).json()

    with token_site.db() as db:
        stored = [
            str(row)
            for table in domain.Base.metadata.sorted_tables
            for row in db.session.execute(select(table))
        ]

    for secret in (token, client["client_secret"], client["registration_access_token"]):
        assert not any(secret in row for row in stored)


def test_pkce_is_asked_of_public_clients_only_where_the_operator_says_so(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(registration="open", pkce="public")

    confidential = register(site).json()
    public = register(site, token_endpoint_auth_method="none").json()

    with site.db() as db:
        assert not clients.load(db, confidential["client_id"]).metadata.require_pkce
        assert clients.load(db, public["client_id"]).metadata.require_pkce


def test_one_address_registers_so_many_and_no_more(start_site: Callable[..., Site]) -> None:
    site = start_site(registration="open", rate_limits=True)

    answers = [register(site) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    assert answers[-1].headers["retry-after"]
