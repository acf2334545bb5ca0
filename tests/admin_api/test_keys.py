"""Signing keys over the wire: listed, replaced in time, and revoked when they have leaked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from oidc_server.domain.audit import AuditEvent
from tests.callers import Callers, make_callers
from tests.site import Site

PATH = "/api/v1/admin/signing-keys"


@pytest.fixture
def api(start_site: Callable[..., Site]) -> Callers:
    """On a server of its own: keys outlive a test."""
    return make_callers(start_site(), "keys:read keys:write")


def keys(api: Callers) -> dict[str, dict[str, Any]]:
    answer = api.call("GET", PATH, "administrator")
    assert answer.status_code == 200, answer.text
    return {key["kid"]: key for key in answer.json()["keys"]}


def events(api: Callers) -> list[tuple[str, str]]:
    """What was done to keys, but for the first ones."""
    with api.site.db() as db:
        found = db.session.query(AuditEvent).filter(AuditEvent.event.like("signing_key.r%")).all()
        return sorted((event.event, event.detail["kid"]) for event in found)


def test_a_new_key_is_published_at_once_and_signs_a_day_later(api: Callers) -> None:
    before = keys(api)

    answer = api.call("POST", f"{PATH}/rotate", "service", json={"algorithms": ["ES256"]})

    [fresh] = answer.json()["new_keys"]
    assert {key["state"] for key in before.values()} == {"signing"}
    assert keys(api)[fresh]["state"] == "next"
    assert keys(api)[fresh]["alg"] == "ES256"
    assert events(api) == [("signing_key.rotated", fresh)]
    api.site.clock.advance(timedelta(seconds=11))
    published = api.site.http.get("/jwks.json").json()["keys"]
    assert fresh in {key["kid"] for key in published}
    assert not any("d" in key for key in published)


def test_a_key_that_leaked_dies_and_another_takes_its_place(api: Callers) -> None:
    [old] = [kid for kid, key in keys(api).items() if key["alg"] == "ES256"]

    answer = api.call("POST", f"{PATH}/{old}/revoke", "service").json()
    again = api.call("POST", f"{PATH}/{old}/revoke", "service")

    assert answer["kid"] == old
    assert keys(api)[answer["replaced_by"]]["alg"] == "ES256"
    assert again.status_code == 404
    assert ("signing_key.revoked", old) in events(api)
    api.site.clock.advance(timedelta(seconds=30))
    published = {key["kid"] for key in api.site.http.get("/jwks.json").json()["keys"]}
    assert old not in published
    assert answer["replaced_by"] in published


@pytest.mark.parametrize("algorithms", [[], ["HS256"], ["ES256", "none"]])
def test_only_algorithms_of_ours_get_keys(api: Callers, algorithms: list[str]) -> None:
    answer = api.call("POST", f"{PATH}/rotate", "service", json={"algorithms": algorithms})

    assert answer.status_code == 422
    assert all(key["state"] == "signing" for key in keys(api).values())
