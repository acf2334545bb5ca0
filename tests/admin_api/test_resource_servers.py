"""Resource servers over the wire: made known, changed, forgotten."""

from typing import Any

import pytest
from httpx2 import Response

from oidc_server.domain import roles
from tests.callers import Callers, make_callers
from tests.factories import make_client
from tests.relying_party import RelyingParty
from tests.site import Site

PATH = "/api/v1/admin/resources"
ARTICLES = "https://articles.example.net/"
NEW: dict[str, Any] = {"identifier": ARTICLES, "name": "Articles", "scopes": ["articles:read"]}


@pytest.fixture
def api(site: Site) -> Callers:
    return make_callers(site, "resources:read resources:write audit:read")


def send(api: Callers, method: str, body: Any = None, **query: Any) -> Response:
    options: dict[str, Any] = {} if body is None else {"json": body}
    return api.call(method, PATH, "administrator", params=query, **options)


def audience(api: Callers, service: RelyingParty) -> Any:
    answer = service.token(
        grant_type="client_credentials", resource=ARTICLES, scope="articles:read"
    )
    return answer.json().get("error") or answer.status_code


def test_a_resource_is_made_known_changed_and_forgotten(api: Callers) -> None:
    app = make_client(api.site, "service", scopes=["articles:read"])
    service = RelyingParty(api.site, app)
    unknown = audience(api, service)

    made = send(api, "POST", NEW)
    known = audience(api, service)
    again = send(api, "POST", NEW)
    changed = send(api, "PATCH", {"client_id": app.client_id, "roles": True}, identifier=ARTICLES)
    back = send(api, "PATCH", {"client_id": None, "name": ""}, identifier=ARTICLES)
    read = send(api, "GET", identifier=ARTICLES)
    deleted = send(api, "DELETE", identifier=ARTICLES)

    assert made.status_code == 201
    assert (unknown, known, audience(api, service)) == ("invalid_target", 200, "invalid_target")
    assert again.status_code == 409
    assert changed.json() == {**made.json(), "client_id": app.client_id, "roles": True}
    assert back.json() == {**made.json(), "roles": True, "name": ARTICLES}
    assert read.json()["resources"] == [back.json()]
    assert deleted.status_code == 204
    assert send(api, "GET", identifier=ARTICLES).json()["resources"] == []
    for method, body in (("PATCH", {}), ("DELETE", None)):
        assert send(api, method, body, identifier=ARTICLES).status_code == 404


def test_the_log_says_what_changed(api: Callers) -> None:
    send(api, "POST", NEW)
    api.site.clock.advance(1)
    send(api, "PATCH", {"scopes": ["articles:write"]}, identifier=ARTICLES)

    path = "/api/v1/admin/audit-events"
    [event] = api.call("GET", path, "administrator", params={"limit": 1}).json()["events"]

    assert (event["event"], event["detail"]) == ("resource.changed", {"resource": ARTICLES})
    assert event["before"] == {"scopes": ["articles:read"]}
    assert event["after"] == {"scopes": ["articles:write"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"identifier": "articles"}, "identifier"),
        ({"identifier": "https://id.example.com"}, "identifier"),
        ({"identifier": "https://articles.example.net/#part"}, "identifier"),
        ({"scopes": ["two words"]}, "scopes"),
        ({"client_id": "nobody"}, "client_id"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    api: Callers, change: dict[str, Any], field: str
) -> None:
    answer = send(api, "POST", {**NEW, **change})

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_a_public_client_serves_nothing(api: Callers) -> None:
    spa = make_client(api.site, "spa")

    answer = send(api, "POST", {**NEW, "client_id": spa.client_id})

    assert answer.json()["errors"][0]["field"] == "client_id"


def test_the_list_comes_in_pages(api: Callers) -> None:
    for number in range(4):
        send(api, "POST", {**NEW, "identifier": f"{ARTICLES}{number}"})
    everything = [row["identifier"] for row in send(api, "GET").json()["resources"]]

    first = send(api, "GET", limit=3).json()
    second = send(api, "GET", limit=3, cursor=first["next_cursor"]).json()

    assert [row["identifier"] for row in first["resources"] + second["resources"]] == everything
    assert everything == sorted(everything)
    assert second["next_cursor"] is None


@pytest.fixture
def keeper(api: Callers) -> str:
    """Somebody whose role looks after resource servers, and nothing else."""
    with api.site.db() as db:
        for name, scopes in (("keeper", {"resources:write"}), ("writer", {"articles:write"})):
            roles.create(
                db,
                name=name,
                description="",
                scopes=frozenset(scopes),
                known=frozenset(scopes),
                now=api.site.clock.now,
            )
    api.give_role("person", "keeper")
    return "person"


def test_nobody_takes_away_what_holds_them_back(api: Callers, keeper: str) -> None:
    guarded = {**NEW, "scopes": ["articles:write"], "roles": True}
    send(api, "POST", guarded)
    named = {"identifier": ARTICLES}
    changes: tuple[dict[str, Any], ...] = ({"roles": False}, {"scopes": []}, {"name": "Mine"})

    refused = [api.call("PATCH", PATH, keeper, params=named, json=change) for change in changes]
    refused += [
        api.call("DELETE", PATH, keeper, params=named),
        api.call("POST", PATH, keeper, json={**guarded, "identifier": "https://mine.example/"}),
    ]

    assert {answer.status_code for answer in refused} == {403}
    (resource,) = send(api, "GET", identifier=ARTICLES).json()["resources"]
    assert (resource["roles"], resource["scopes"]) == (True, ["articles:write"])
    api.give_role(keeper, "writer")
    assert api.call("PATCH", PATH, keeper, params=named, json={"roles": False}).status_code == 200


def test_an_administrator_or_a_service_says_which_client_serves_it(
    api: Callers, keeper: str
) -> None:
    app = make_client(api.site, "service", scopes=["articles:read"])
    serves, named = {"client_id": app.client_id}, {"identifier": ARTICLES}

    refused = api.call("POST", PATH, keeper, json={**NEW, **serves})
    made = api.call("POST", PATH, keeper, json=NEW)
    refused_later = api.call("PATCH", PATH, keeper, params=named, json=serves)
    by_service = api.call("PATCH", PATH, "service", params=named, json=serves)
    described = api.call("PATCH", PATH, keeper, params=named, json={"name": "Texts", **serves})

    assert (refused.status_code, refused_later.status_code) == (403, 403)
    assert [answer.status_code for answer in (made, by_service, described)] == [201, 200, 200]
