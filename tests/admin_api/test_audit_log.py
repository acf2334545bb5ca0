"""The audit log over the wire: searched, paged and exported, and nothing of it ever changed."""

import csv
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from oidc_server.admin_api import audit_log
from oidc_server.domain import audit, endings, roles
from oidc_server.domain.audit import Event, Origin
from oidc_server.routes import OPERATIONS
from tests.callers import Callers, make_callers
from tests.site import BEGINNING, Site

PATH = "/api/v1/admin/audit-events"
SCOPE = "audit:read roles:write credits:add"


@pytest.fixture
def api(site: Site) -> Callers:
    callers = make_callers(site, SCOPE)
    site.clock.advance(timedelta(minutes=1))
    return callers


def asked(api: Callers, caller: str = "administrator", **query: Any) -> dict[str, Any]:
    answer = api.call("GET", PATH, caller, params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def record(api: Callers, count: int = 1, user_agent: str = "Browser", **facts: Any) -> None:
    origin = Origin("ref", "192.0.2.1", user_agent)
    with api.site.db() as db:
        for _ in range(count):
            audit.record(db, Event.KEY_REVOKED, origin=origin, now=api.site.clock.now, **facts)


def test_what_an_administrator_does_is_told_with_who_and_what(api: Callers) -> None:
    role = {"name": "support", "description": "Answers", "scopes": ["credits:add"]}
    api.call("POST", "/api/v1/admin/roles", "administrator", json=role)
    api.site.clock.advance(1)
    api.call("PATCH", "/api/v1/admin/roles/support", "service", json={"scopes": []})

    changed, made = asked(api, since=(BEGINNING + timedelta(seconds=30)).isoformat())["events"]

    assert made["event"] == "role.created"
    assert made["actor"]["kind"] == "user"
    assert made["actor"]["user_id"] == api.id_of("administrator")
    assert made["actor"]["client_id"]
    assert changed["event"] == "role.changed"
    assert changed["actor"]["kind"] == "client"
    assert changed["actor"]["user_id"] is None
    assert (changed["before"], changed["after"]) == ({"scopes": ["credits:add"]}, {"scopes": []})
    assert changed["outcome"] == "success"
    assert changed["request_id"]


def test_what_the_roles_of_a_caller_do_not_allow_is_in_the_log_and_was_not_done(
    api: Callers,
) -> None:
    themselves = api.move(
        "/api/v1/credits/add", "administrator", user_id=api.id_of("administrator"), amount="5.00"
    )
    beyond = {"name": "more", "description": "-", "scopes": ["credits:add"]}
    with api.site.db() as db:
        roles.create(
            db,
            name="keeper",
            description="-",
            scopes=frozenset({"roles:write"}),
            known=frozenset({"roles:write"}),
            now=api.site.clock.now,
        )
    api.site.clock.advance(1)
    api.give_role("other", "keeper")
    above = api.call("POST", "/api/v1/admin/roles", "other", json=beyond)
    api.call("POST", "/api/v1/admin/roles", "narrow", json=beyond)

    found = asked(api, event="operation.refused")["events"]

    assert (themselves.status_code, above.status_code) == (403, 403)
    assert [event["actor"]["user_id"] for event in found] == [
        api.id_of("other"),
        api.id_of("administrator"),
    ]
    assert [event["detail"]["operation"] for event in found] == [
        "admin_api.create_role",
        "credits.add",
    ]
    assert all(event["outcome"] == "failure" for event in found)
    assert found[0]["request_id"] == above.headers["x-request-id"]


def test_that_the_log_was_exported_is_in_the_log(api: Callers) -> None:
    api.call("GET", f"{PATH}/export", "administrator", params={"format": "csv", "actor": "server"})

    [event] = asked(api, event="audit.exported")["events"]

    assert event["detail"] == {"asked": {"format": "csv", "actor": "server"}}
    assert event["actor"]["user_id"] == api.id_of("administrator")


def test_credit_that_others_give_is_in_the_log_and_credit_that_is_spent_is_not(
    api: Callers,
) -> None:
    added = api.move("/api/v1/credits/add", "service", user_id=api.id_of("person"), amount="5.00")

    [event] = asked(api, user_id=api.id_of("person"), event="credit.added")["events"]

    assert event["detail"] == {"transaction_id": added.json()["id"], "amount": "5.00"}
    assert event["request_id"] == added.headers["x-request-id"]


def test_filters_narrow_and_pages_follow_one_another(api: Callers) -> None:
    record(api, 5, kid="a", user_id=api.id_of("other"))
    failed = asked(api, outcome="failure")["events"]

    first = asked(api, event="signing_key.revoked", limit=3)
    api.site.clock.advance(1)
    record(api, kid="b")
    second = asked(api, event="signing_key.revoked", limit=3, cursor=first["next_cursor"])

    assert failed == []
    assert len(first["events"]) == 3
    assert len(second["events"]) == 2
    assert second["next_cursor"] is None
    assert {event["detail"]["kid"] for event in first["events"] + second["events"]} == {"a"}


@pytest.mark.parametrize(
    "query",
    [
        {"event": "no.such"},
        {"outcome": "maybe"},
        {"actor": "god"},
        {"user_id": "me"},
        {"actor_user_id": "1"},
        {"since": "yesterday"},
        {"since": "2026-01-05T09:00:00"},
        {"until": "9999-12-31T23:59:59Z"},
        {"limit": "0"},
        {"limit": "201"},
        {"order": "asc"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(api: Callers, query: dict[str, str]) -> None:
    assert api.call("GET", PATH, "administrator", params=query).status_code == 422


@pytest.mark.parametrize("cursor", ["x", "WyJub25lIl0", "WzFd"])
def test_a_cursor_that_is_not_ours_is_refused(api: Callers, cursor: str) -> None:
    assert api.call("GET", f"{PATH}?cursor={cursor}", "administrator").status_code == 400


def test_an_export_of_json_lines_holds_all_of_a_filter(api: Callers, site: Site) -> None:
    record(api, audit_log._AT_ONCE + 5, kid="a")

    answer = api.call("GET", f"{PATH}/export", "service", params={"event": "signing_key.revoked"})

    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-events.jsonl"'
    assert answer.headers["cache-control"] == "no-store"
    assert "content-length" not in answer.headers
    assert len(rows) == len({row["id"] for row in rows}) == audit_log._AT_ONCE + 5
    assert rows[0]["detail"] == {"kid": "a"}
    assert site.http.request("HEAD", f"{PATH}/export").status_code == 401


@pytest.mark.parametrize(
    "text",
    [
        *("=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "a\r\n=1", "\x1b[2J", 'a"b,c'),
        *("a;=1", 'a; "@SUM(A1)"', "\uff1d1"),
    ],
)
def test_no_text_of_an_export_is_a_formula_or_breaks_its_line(api: Callers, text: str) -> None:
    """Whoever signs in chooses the user agent that an administrator opens in a spreadsheet.

    In half of Europe that takes a semicolon for the end of a cell.
    """
    record(api, user_agent=text, kid="a")

    answer = api.call("GET", f"{PATH}/export", "administrator", params={"format": "csv"})

    head, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    [row] = [row for row in rows if row[head.index("event")] == "signing_key.revoked"]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert len(row) == len(head)
    assert head.count("request_id") == 1
    for cell in row:
        for part in cell.split(";"):
            assert not part.lstrip(' "').startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))
        assert all(char.isprintable() for char in cell)


def test_an_export_that_breaks_off_has_no_end(
    api: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the time is over before the first part."""
    monkeypatch.setattr(audit_log, "_LONGEST_EXPORT", timedelta(seconds=-1))
    record(api, 3)

    answer = api.call("GET", f"{PATH}/export", "administrator")

    assert answer.status_code == 200
    assert answer.text == ""


def test_an_export_that_has_to_wait_for_the_lock_is_whole(api: Callers, site: Site) -> None:
    record(api, 3, kid="a")
    with ThreadPoolExecutor(1) as elsewhere, site.db() as db:
        db.lock("nobody else writes")
        query = {"event": "signing_key.revoked"}
        asking = elsewhere.submit(api.call, "GET", f"{PATH}/export", "administrator", params=query)
        time.sleep(0.2)

    assert len(asking.result().text.splitlines()) == 3
    assert len(asked(api, event="audit.exported")["events"]) == 1


def test_nothing_in_the_api_writes_the_log() -> None:
    methods = {operation.method for operation in OPERATIONS if operation.path.startswith(PATH)}

    assert methods == {"GET"}


def test_no_secret_of_a_whole_day_is_in_the_log(api: Callers) -> None:
    """Tokens and passwords of everybody who signed in for these tests."""
    with api.site.db() as db:
        endings.disable_user(db, api.id_of("other"), api.site.clock.now)
    answer = api.call("GET", f"{PATH}/export", "administrator")

    for secret in secrets_of(api):
        assert secret not in answer.text


def secrets_of(api: Callers) -> Iterator[str]:
    yield from api.tokens.values()
    yield from (person.password for person in api.people.values())
