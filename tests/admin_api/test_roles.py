"""Roles over the wire: what is answered, what is refused, and that nobody gives what they lack."""

from typing import Any

import pytest
from httpx2 import Response

from oidc_server.domain import roles
from oidc_server.domain.audit import AuditEvent
from tests.callers import Callers, make_callers
from tests.factories import make_resource
from tests.site import Site

PATH = "/api/v1/admin/roles"
SUPPORT: dict[str, Any] = {"name": "support", "description": "Answers", "scopes": ["credits:read"]}


@pytest.fixture
def api(site: Site) -> Callers:
    return make_callers(site, "roles:read roles:write credits:read")


def send(
    api: Callers, method: str, path: str = "", caller: str = "administrator", **body: Any
) -> Response:
    options: dict[str, Any] = {"json": body} if body else {}
    return api.call(method, PATH + path, caller, **options)


def events(api: Callers) -> list[AuditEvent]:
    with api.site.db() as db:
        found = db.session.query(AuditEvent).order_by(AuditEvent.id).all()
        return [event for event in found if event.event.startswith("role.")]


def test_the_roles_of_the_server_are_there_from_the_beginning(api: Callers) -> None:
    told = send(api, "GET").json()["roles"]

    assert [role["name"] for role in told] == ["admin", "moderator", "user"]
    assert all(role["built_in"] for role in told)
    assert "users:disable" in told[1]["scopes"]


def test_a_role_can_be_made_read_changed_and_deleted(api: Callers) -> None:
    made = send(api, "POST", **SUPPORT)
    listed = send(api, "GET").json()["roles"]
    changed = send(api, "PATCH", "/support", scopes=["roles:read", "credits:read"])
    read = send(api, "GET", "/support")
    deleted = send(api, "DELETE", "/support")

    assert (made.status_code, made.json()) == (201, {**SUPPORT, "built_in": False})
    assert made.json() in listed
    assert changed.json() == {
        **made.json(),
        "scopes": ["credits:read", "roles:read"],
    }
    assert read.json() == changed.json()
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert send(api, "GET", "/support").status_code == 404
    assert send(api, "DELETE", "/support").status_code == 404


def test_the_audit_log_says_who_changed_what(api: Callers) -> None:
    send(api, "POST", **SUPPORT)
    api.site.clock.advance(1)
    send(api, "PATCH", "/support", scopes=["credits:use", "credits:read"])
    api.site.clock.advance(1)
    send(api, "DELETE", "/support", caller="service")

    created, changed, deleted = events(api)

    assert created.actor_user_id == api.id_of("administrator")
    assert changed.before == {"scopes": ["credits:read"]}
    assert changed.after == {"scopes": ["credits:read", "credits:use"]}
    assert (deleted.event, deleted.actor, deleted.actor_user_id) == ("role.deleted", "client", None)


def test_a_role_may_give_scopes_of_a_resource(api: Callers) -> None:
    make_resource(api.site, "https://articles.example.net/", "articles:write")

    made = send(api, "POST", name="editor", scopes=["articles:write"])

    assert made.json()["scopes"] == ["articles:write"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**SUPPORT, "name": "Support"}, "name"),
        ({**SUPPORT, "scopes": ["credits:steal"]}, "scopes"),
        ({**SUPPORT, "description": "a\nb"}, "description"),
        ({**SUPPORT, "built_in": True}, "built_in"),
        ({**SUPPORT, "scopes": "credits:read"}, "scopes"),
    ],
)
def test_what_cannot_be_taken_is_named(api: Callers, body: dict[str, Any], field: str) -> None:
    answer = send(api, "POST", **body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert events(api) == []


def test_a_name_that_is_taken_is_a_conflict(api: Callers) -> None:
    send(api, "POST", **SUPPORT)

    for name in ("support", "admin"):
        assert send(api, "POST", **{**SUPPORT, "name": name}).status_code == 409


@pytest.mark.parametrize("name", ["admin", "moderator", "user"])
def test_the_roles_of_the_server_stay_as_they_are(api: Callers, name: str) -> None:
    assert send(api, "PATCH", f"/{name}", scopes=[]).status_code == 409
    assert send(api, "DELETE", f"/{name}").status_code == 409


def test_nobody_makes_a_role_of_what_they_do_not_have(site: Site) -> None:
    api = make_callers(site, "roles:read roles:write credits:read")
    send(api, "POST", name="keeper", scopes=["roles:read", "roles:write"])
    send(api, "POST", name="reader", scopes=["roles:read", "credits:read"])
    api.give_role("other", "keeper")

    wider = send(api, "POST", caller="other", name="wider", scopes=["credits:read"])
    own = send(api, "PATCH", "/keeper", caller="other", scopes=["roles:write", "credits:add"])
    other = send(api, "PATCH", "/reader", caller="other", scopes=[])
    gone = send(api, "DELETE", "/reader", caller="other")
    narrower = send(api, "POST", caller="other", name="narrower", scopes=["roles:read"])

    assert [answer.status_code for answer in (wider, own, other, gone)] == [403] * 4
    assert narrower.status_code == 201


def test_a_token_loses_its_power_with_the_role(api: Callers) -> None:
    api.give_role("other", roles.ADMIN)
    assert send(api, "GET", caller="other").status_code == 200

    with api.site.db() as db:
        roles.withdraw(db, api.id_of("other"), roles.ADMIN)

    assert send(api, "GET", caller="other").status_code == 403
