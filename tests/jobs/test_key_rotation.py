"""Signing keys are replaced in time."""

from datetime import timedelta
from threading import Event

from sqlalchemy import select

from oidc_server.domain import signing_keys
from oidc_server.domain.audit import AuditEvent
from oidc_server.jobs.key_rotation import rotate

DAY = timedelta(days=1)


def states(site):
    with site.db() as db:
        return sorted((key.alg, key.state(site.clock.now)) for key in signing_keys.timeline(db))


def test_a_key_gets_its_successor_a_day_before_its_time_is_over(start_site):
    site = start_site(key_rotation_interval=timedelta(days=90))
    rotate(site.runtime, Event())
    assert states(site) == [("ES256", "active"), ("RS256", "active")]

    site.clock.advance(88 * DAY)
    rotate(site.runtime, Event())
    rotate(site.runtime, Event())
    assert states(site) == [
        ("ES256", "active"),
        ("ES256", "next"),
        ("RS256", "active"),
        ("RS256", "next"),
    ]
    assert len(site.http.get("/jwks.json").json()["keys"]) == 4

    site.clock.advance(DAY)
    rotate(site.runtime, Event())
    assert {state for _, state in states(site)} == {"active", "retiring"}

    site.clock.advance(3 * DAY)
    assert {state for _, state in states(site)} == {"active", "retired"}
    assert len(site.http.get("/jwks.json").json()["keys"]) == 2


def test_a_new_key_is_in_the_audit_log(start_site):
    site = start_site()
    site.clock.advance(site.runtime.settings.key_rotation_interval)

    rotate(site.runtime, Event())

    with site.db() as db:
        events = list(db.session.scalars(select(AuditEvent)))
        kids = {key.kid for key in signing_keys.timeline(db) if key.state(site.clock.now) == "next"}
    assert {event.event for event in events} == {"signing_key.rotated"}
    assert {event.detail["kid"] for event in events} == kids
