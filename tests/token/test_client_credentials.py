"""RFC 6749 §4.4: a client acts for itself."""

import pytest

from oidc_server.domain import clients
from tests.factories import make_client, make_resource
from tests.relying_party import RelyingParty
from tests.site import Site
from tests.wire import row_counts

READ, WRITE = "orders:read", "orders:write"


def service(site: Site) -> RelyingParty:
    return RelyingParty(site, make_client(site, "service", scopes=(READ, WRITE)))


@pytest.mark.parametrize(
    ("asked", "given"),
    [({}, f"{READ} {WRITE}"), ({"scope": READ}, READ), ({"scope": f"{WRITE} {READ}"}, None)],
)
def test_a_service_gets_a_token_and_nothing_else(
    site: Site, asked: dict[str, str], given: str | None
) -> None:
    party = service(site)
    before = row_counts(site)

    response = party.token(grant_type="client_credentials", **asked)

    body = response.json()
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert body["scope"] == (given or f"{READ} {WRITE}")
    told = party.introspect(body["access_token"])
    assert told["active"] is True
    assert told["sub"] == told["client_id"] == party.app.client_id
    assert told["aud"] == site.issuer
    assert "username" not in told
    assert row_counts(site) == before


@pytest.mark.parametrize("scope", ["openid", "admin", f"{READ} admin", 'a"b', "a\\b", "\u00e9"])
def test_a_scope_it_may_not_have_is_refused(site: Site, scope: str) -> None:
    answer = service(site).token(grant_type="client_credentials", scope=scope)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_rfc_8707_the_audience_is_the_resource(site: Site) -> None:
    party = service(site)
    first = make_resource(site, "https://a.example.net/")
    second = make_resource(site, "https://b.example.net/")
    auth = (party.app.client_id, party.app.client_secret or "")

    one = party.token(grant_type="client_credentials", resource=first).json()
    both = site.http.post(
        "/token",
        data={"grant_type": "client_credentials", "resource": [first, second]},
        auth=auth,
    ).json()

    assert party.introspect(one["access_token"])["aud"] == first
    assert party.introspect(both["access_token"])["aud"] == [first, second]


@pytest.mark.parametrize("resource", ["https://unknown.example.net/", "x", "\u00e9\"'"])
def test_an_unknown_resource_is_refused(site: Site, resource: str) -> None:
    answer = service(site).token(grant_type="client_credentials", resource=resource)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_nobody_has_thousands_of_resources_looked_up(site: Site) -> None:
    party = service(site)
    auth = (party.app.client_id, party.app.client_secret or "")
    many = [make_resource(site, f"https://{number}.example.net/") for number in range(21)]

    answer = site.http.post(
        "/token", data={"grant_type": "client_credentials", "resource": many}, auth=auth
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


@pytest.mark.parametrize("client_type", ["spa", "native", "web"])
def test_a_client_of_another_kind_may_not(site: Site, client_type) -> None:
    party = RelyingParty(site, make_client(site, client_type))

    answer = party.token(grant_type="client_credentials")

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_the_token_stands_for_no_person(site: Site) -> None:
    both = ("authorization_code", "client_credentials")
    party = RelyingParty(site, make_client(site, grant_types=both))
    token = party.token(grant_type="client_credentials", scope="openid profile").json()

    answer = party.userinfo(token["access_token"])

    assert answer.status_code in (401, 403)
    assert "www-authenticate" in answer.headers


def test_a_disabled_client_is_dead_at_the_next_request(site: Site) -> None:
    party, other = service(site), RelyingParty(site, make_client(site, may_introspect=True))
    token = party.token(grant_type="client_credentials").json()["access_token"]
    assert other.introspect(token)["active"] is True

    with site.db() as db:
        clients.change(db, party.app.client_id, disabled_at=site.clock.now)

    assert other.introspect(token) == {"active": False}
    assert party.token(grant_type="client_credentials").status_code == 401
