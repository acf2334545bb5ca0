"""Clients over the wire: all metadata, secrets shown once, and nobody gets more than they have."""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from oidc_server.domain import roles
from oidc_server.domain.client_metadata import member_types
from tests.callers import Callers, make_callers, token_of
from tests.factories import REDIRECT_URI, App, make_client, make_resource
from tests.relying_party import RelyingParty
from tests.site import Site

PATH = "/api/v1/admin/clients"
SCOPE = "clients:read clients:write audit:read roles:read"
SHOP: dict[str, Any] = {"type": "web", "client_name": "Shop", "redirect_uris": [REDIRECT_URI]}
TILL: dict[str, Any] = {"type": "service", "client_name": "Till", "scope": "clients:read"}


@pytest.fixture
def api(site: Site) -> Callers:
    return make_callers(site, SCOPE)


def send(
    api: Callers,
    method: str,
    path: str = "",
    caller: str = "administrator",
    body: dict[str, Any] | None = None,
) -> Response:
    options: dict[str, Any] = {} if body is None else {"json": body}
    return api.call(method, PATH + path, caller, **options)


def made(api: Callers, body: dict[str, Any], caller: str = "administrator") -> dict[str, Any]:
    answer = send(api, "POST", "", caller, body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def works(api: Callers, client: dict[str, Any], secret: str) -> bool:
    app = App(client["client_id"], secret, "")
    answer = RelyingParty(api.site, app).token(grant_type="client_credentials")
    return bool(answer.status_code == 200)


def last_event(api: Callers) -> dict[str, Any]:
    path = "/api/v1/admin/audit-events"
    told: dict[str, Any] = api.call("GET", path, "administrator", params={"limit": 1}).json()
    event: dict[str, Any] = told["events"][0]
    return event


def test_a_client_is_made_with_the_defaults_of_its_type_and_its_secret_is_told_once(
    api: Callers,
) -> None:
    client = made(api, SHOP)
    read = send(api, "GET", f"/{client['client_id']}")

    assert client["client_secret"]
    assert client["grant_types"] == ["authorization_code", "refresh_token"]
    assert client["token_endpoint_auth_method"] == "client_secret_basic"
    assert client["require_pkce"] is True
    assert client["secrets"] == [{"expires_at": None}]
    assert "client_secret" not in read.json()
    assert client["client_secret"] not in read.text
    del client["client_secret"]
    assert read.json() == client


def test_every_member_of_the_metadata_can_be_sent_and_is_told(api: Callers) -> None:
    sent = {
        **SHOP,
        "client_uri": "https://shop.example.net/",
        "contacts": ["ops@example.net"],
        "scope": "openid email",
        "default_max_age": 600,
        "require_auth_time": True,
        "post_logout_redirect_uris": ["https://shop.example.net/bye"],
        "backchannel_logout_uri": "https://shop.example.net/told",
        "id_token_signed_response_alg": "ES256",
        "skip_consent": True,
        "dpop_bound_access_tokens": True,
        "jwks": {"keys": []},
    }

    client = made(api, sent)

    assert {name: client[name] for name in sent if name != "scope"} == {
        name: value for name, value in sent.items() if name != "scope"
    }
    assert set(client["scope"].split()) == {"openid", "email"}
    assert member_types().keys() <= client.keys()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"client_name": "a\u202eb"}, "client_name"),
        ({"grant_types": ["implicit"]}, "grant_types"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"logo_uri": "data:text/html,x"}, "logo_uri"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "jwks"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"require_pkce": "yes"}, "require_pkce"),
        ({"type": "robot"}, "type"),
        ({"client_id": "mine"}, "client_id"),
        ({"client_secret": "mine"}, "client_secret"),
        ({"self_registered": False}, "self_registered"),
    ],
)
def test_what_registration_would_refuse_is_refused_here_by_field(
    api: Callers, change: dict[str, Any], field: str
) -> None:
    answer = send(api, "POST", body={**SHOP, **change})

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("number", [2**64 - 1, 2**64, -(10**30), 1e30, 0.5])
def test_a_number_of_any_size_in_keys_is_told_again(api: Callers, number: float) -> None:
    client = made(api, {**SHOP, "jwks": {"keys": [], "x": number}})

    told = send(api, "GET", f"/{client['client_id']}").json()

    assert float(told["jwks"]["x"]) == float(number)


def test_a_change_leaves_the_rest_and_null_takes_a_member_away(api: Callers) -> None:
    client = made(api, {**SHOP, "logo_uri": "https://shop.example.net/logo.png"})
    path = f"/{client['client_id']}"
    api.site.clock.advance(1)

    changed = send(api, "PATCH", path, body={"client_name": "Market", "logo_uri": None}).json()

    assert (changed["client_name"], changed["logo_uri"]) == ("Market", None)
    assert changed["client_secret"] is None
    assert changed["redirect_uris"] == [REDIRECT_URI]
    event = last_event(api)
    assert (event["event"], event["client_id"]) == ("client.changed", client["client_id"])
    assert event["before"] == {
        "client_name": "Shop",
        "logo_uri": "https://shop.example.net/logo.png",
    }
    assert event["after"] == {"client_name": "Market"}


def test_two_secrets_work_for_the_stated_time_and_then_one(api: Callers) -> None:
    client = made(api, TILL)
    path = f"/{client['client_id']}"

    rotated = send(api, "POST", f"{path}/secrets", body={"overlap": 3600})

    assert rotated.status_code == 201
    old, new = client["client_secret"], rotated.json()["client_secret"]
    assert works(api, client, old)
    assert works(api, client, new)
    ends = [secret["expires_at"] for secret in send(api, "GET", path).json()["secrets"]]
    assert sorted(ends, key=str) == sorted([None, rotated.json()["others_expire_at"]], key=str)
    api.site.clock.advance(timedelta(hours=1))
    assert not works(api, client, old)
    assert works(api, client, new)


def test_no_secret_is_in_the_audit_log(api: Callers) -> None:
    client = made(api, TILL)
    rotated = send(api, "POST", f"/{client['client_id']}/secrets", body={}).json()

    told = api.call("GET", "/api/v1/admin/audit-events/export", "administrator").text

    assert "client.secret_rotated" in told
    assert client["client_secret"] not in told
    assert rotated["client_secret"] not in told


def test_a_public_client_has_no_secret_to_rotate(api: Callers) -> None:
    client = made(api, {**SHOP, "type": "spa"})

    assert client["client_secret"] is None
    answer = send(api, "POST", f"/{client['client_id']}/secrets", body={})
    assert answer.status_code == 409


def test_a_disabled_client_does_nothing_until_it_is_enabled(api: Callers) -> None:
    client = made(api, TILL)
    path = f"/{client['client_id']}"

    disabled = send(api, "POST", f"{path}/disable")
    while_disabled = works(api, client, client["client_secret"])
    send(api, "POST", f"{path}/disable")
    enabled = send(api, "POST", f"{path}/enable")

    assert disabled.json()["disabled"] is True
    assert while_disabled is False
    assert enabled.json()["disabled"] is False
    assert works(api, client, client["client_secret"])


def test_a_deleted_client_is_gone_with_all_it_had(api: Callers) -> None:
    client = made(api, TILL)
    path = f"/{client['client_id']}"

    deleted = send(api, "DELETE", path)

    assert deleted.status_code == 204
    assert not works(api, client, client["client_secret"])
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/enable", None),
        ("POST", "/secrets", {}),
    ):
        assert send(api, method, path + rest, body=body).status_code == 404
    found = api.call("GET", PATH, "administrator", params={"limit": 200}).json()["clients"]
    assert client["client_id"] not in {row["client_id"] for row in found}


def test_lists_are_searched_filtered_and_paged(api: Callers) -> None:
    ids = []
    for number in range(5):
        api.site.clock.advance(1)
        ids.append(made(api, {**TILL, "client_name": f"Till {number} of 100%_"})["client_id"])
    send(api, "POST", f"/{ids[0]}/disable")

    def listed(**query: Any) -> Any:
        return api.call("GET", PATH, "administrator", params=query).json()

    first = listed(search="till", limit=2)
    second = listed(search="till", limit=2, cursor=first["next_cursor"])
    third = listed(search="till", limit=2, cursor=second["next_cursor"])
    found = [row["client_id"] for page in (first, second, third) for row in page["clients"]]
    assert found == ids
    assert third["next_cursor"] is None
    assert [row["client_id"] for row in listed(disabled="true")["clients"]] == ids[:1]
    assert len(listed(search="TILL", disabled="false", type="service")["clients"]) == 4
    assert listed(search="till", type="web")["clients"] == []
    assert [
        row["client_id"]
        for row in listed(search="\N{FULLWIDTH LATIN CAPITAL LETTER T}ill 3")["clients"]
    ] == ids[3:4]
    for nothing in ("T%l", "T_ll", "of 100", "till 5"):
        assert listed(search=nothing)["clients"] == [], nothing
    newest = listed(limit=1, type="service", disabled="false")
    assert newest["clients"][0]["client_id"] == ids[-1]
    assert listed(limit=3, cursor=newest["next_cursor"])["clients"][0]["client_id"] == ids[-2]
    send(api, "PATCH", f"/{ids[3]}", body={"client_name": "Desk"})
    assert [row["client_id"] for row in listed(search="des")["clients"]] == ids[3:4]
    assert len(listed(search="till")["clients"]) == 4
    for query in ({"limit": 0}, {"type": "robot"}, {"search": "x" * 101}, {"disabled": "1"}):
        assert api.call("GET", PATH, "administrator", params=query).status_code == 422
    for query in ({"cursor": "WzEsMl0"}, {"search": "till", "cursor": newest["next_cursor"]}):
        assert api.call("GET", PATH, "administrator", params=query).status_code == 400


@pytest.fixture
def helper(api: Callers) -> str:
    """Somebody whose role looks after clients, and nothing else."""
    site = api.site
    with site.db() as db:
        roles.create(
            db,
            name="clients",
            description="",
            scopes=frozenset({"clients:read", "clients:write"}),
            known=frozenset({"clients:read", "clients:write"}),
            now=site.clock.now,
        )
        roles.assign(db, api.id_of("other"), "clients", site.clock.now)
    app = make_client(site, scopes=f"openid {SCOPE}".split())
    party = RelyingParty(site, app)
    api.tokens["helper"] = token_of(site, party, api.people["other"], f"openid {SCOPE}")
    return "helper"


def test_nobody_makes_or_gets_at_a_client_that_may_more_than_they_do(
    api: Callers, helper: str
) -> None:
    """Else the secret of a service would be a step on the way to what it may."""
    strong = made(api, {**TILL, "scope": "roles:read"})
    trusted = made(api, {**SHOP, "skip_consent": True})

    assert made(api, SHOP, helper)
    assert made(api, TILL, helper)
    for refused in (
        {**TILL, "scope": "roles:read"},
        {**SHOP, "scope": "openid audit:read"},
        {**SHOP, "skip_consent": True},
        {**TILL, "may_introspect": True},
    ):
        assert send(api, "POST", "", helper, refused).status_code == 403
    for client in (strong, trusted):
        path = f"/{client['client_id']}"
        assert send(api, "GET", path, helper).status_code == 200
        for method, rest, body in (
            ("PATCH", "", {"client_name": "Mine"}),
            ("POST", "/secrets", {}),
            ("POST", "/disable", None),
            ("DELETE", "", None),
        ):
            assert send(api, method, path + rest, helper, body).status_code == 403
    weak = made(api, TILL, helper)
    path = f"/{weak['client_id']}"
    assert send(api, "PATCH", path, helper, {"scope": "roles:read"}).status_code == 403
    assert send(api, "PATCH", path, helper, {"client_name": "Mine"}).status_code == 200


def test_a_service_makes_no_client_with_scopes_that_its_token_lacks(api: Callers) -> None:
    assert send(api, "POST", "", "service", {**TILL, "scope": "credits:add"}).status_code == 403
    assert send(api, "POST", "", "service", TILL).status_code == 201


def test_nobody_gets_around_the_limits_of_people_through_a_service(api: Callers) -> None:
    """A service acts on everybody: one with the scopes of a helper could act on administrators."""
    site, scopes = api.site, frozenset({"clients:read", "clients:write", "users:read"})
    writing = scopes | {"users:write"}
    with site.db() as db:
        now = site.clock.now
        roles.create(db, name="desk", description="", scopes=writing, known=writing, now=now)
        roles.assign(db, api.id_of("other"), "desk", now)
    party = RelyingParty(site, make_client(site, scopes=["openid", *writing]))
    scope = " ".join(["openid", *writing])
    api.tokens["desk"] = token_of(site, party, api.people["other"], scope)
    there = made(api, {**TILL, "scope": "users:write"})

    both = {
        **SHOP,
        "grant_types": ["authorization_code", "client_credentials"],
        "scope": "users:write",
    }
    weak = made(api, {**TILL, "scope": "users:read"}, "desk")
    for body in ({**TILL, "scope": "users:write"}, both):
        assert send(api, "POST", "", "desk", body).status_code == 403
    stronger = send(api, "PATCH", f"/{weak['client_id']}", "desk", {"scope": "users:write"})
    assert stronger.status_code == 403
    assert send(api, "POST", f"/{there['client_id']}/secrets", "desk", {}).status_code == 403
    assert made(api, {**SHOP, "scope": "openid users:write"}, "desk")


def test_nobody_gets_the_scopes_of_a_role_that_they_lack_through_a_client(
    api: Callers, helper: str
) -> None:
    """A resource that wants roles keeps such scopes from them; a service would get them."""
    site, writing = api.site, frozenset({"articles:write"})
    with site.db() as db:
        now = site.clock.now
        roles.create(db, name="writer", description="", scopes=writing, known=writing, now=now)
    writer = {**TILL, "scope": "articles:write"}
    there = made(api, writer)

    answers = [
        send(api, "POST", "", helper, writer),
        send(api, "POST", "", helper, {**SHOP, "scope": "openid articles:write"}),
        send(api, "POST", f"/{there['client_id']}/secrets", helper, {}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert made(api, {**TILL, "scope": "articles:read"}, helper)
    assert made(api, writer, "service")


def test_nobody_but_an_administrator_or_a_service_gets_at_a_client_that_serves_a_resource(
    api: Callers, helper: str
) -> None:
    """It may introspect and exchange what people gave to others."""
    server = made(api, {**TILL, "scope": "articles:read"})
    path = f"/{server['client_id']}/secrets"
    before = send(api, "POST", path, helper, {})

    make_resource(api.site, "https://articles.example.net/", client_id=server["client_id"])

    assert before.status_code == 201
    assert send(api, "POST", path, helper, {}).status_code == 403
    assert send(api, "POST", path, "service", {}).status_code == 201
    assert send(api, "POST", path, "administrator", {}).status_code == 201
