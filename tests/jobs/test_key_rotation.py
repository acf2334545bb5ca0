"""Signing keys are replaced in time."""

from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select

from oidc_server.domain import signing_keys
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.signing_keys import TAKES_EFFECT_AFTER, SigningKeyRow
from oidc_server.jobs.key_rotation import rotate
from oidc_server.jobs.retention import sweep
from oidc_server.security.jose import ALGORITHMS

DAY = timedelta(days=1)


def states(site):
    """The states of the keys of each algorithm, in their order; the same for all of them."""
    with site.db() as db:
        times = signing_keys.timeline(db)
    by_algorithm = {
        tuple(key.state(site.clock.now) for key in times if key.alg == alg) for alg in ALGORITHMS
    }
    [found] = by_algorithm
    return list(found)


def published(site):
    return {key["kid"] for key in site.http.get("/jwks.json").json()["keys"]}


def rows(site):
    with site.db() as db:
        return list(db.session.scalars(select(SigningKeyRow).order_by(SigningKeyRow.activates_at)))


def test_a_key_goes_through_its_life(start_site):
    site = start_site(key_rotation_interval=timedelta(days=90))
    for days, expected, in_the_jwks in (
        (0, ["signing"], 1),
        (88, ["signing", "next"], 2),
        (1.1, ["retiring", "signing"], 2),
        (2, ["retired", "signing"], 1),
        (87, ["retired", "signing", "next"], 2),
        (1.1, ["retired", "retiring", "signing"], 2),
    ):
        site.clock.advance(days * DAY)
        rotate(site.runtime, Event())
        rotate(site.runtime, Event())
        site.clock.advance(TAKES_EFFECT_AFTER)

        assert (days, states(site)) == (days, expected)
        assert len(published(site)) == in_the_jwks * len(ALGORITHMS)


def test_a_node_that_was_down_for_long_goes_on_with_its_old_key_for_a_day(start_site):
    site = start_site(key_rotation_interval=timedelta(days=90))
    old = published(site)
    site.clock.advance(400 * DAY)

    rotate(site.runtime, Event())
    site.clock.advance(TAKES_EFFECT_AFTER)

    assert states(site) == ["signing", "next"]
    assert old < published(site)


def test_a_successor_whose_turn_came_while_all_were_down_signs_at_once(start_site):
    site = start_site(key_rotation_interval=timedelta(days=90))
    site.clock.advance(90 * DAY)
    rotate(site.runtime, Event())
    site.clock.advance(30 * DAY)

    rotate(site.runtime, Event())

    assert states(site) == ["retired", "signing"]


def test_the_private_half_goes_with_the_last_signature_and_the_row_when_nobody_needs_it(start_site):
    site = start_site(key_rotation_interval=timedelta(days=300))
    site.clock.advance(300 * DAY)
    rotate(site.runtime, Event())
    site.clock.advance(DAY)
    rotate(site.runtime, Event())
    assert all(row.private_sealed for row in rows(site))

    site.clock.advance(timedelta(hours=2))
    rotate(site.runtime, Event())
    has_private = [row.private_sealed is not None for row in rows(site)]
    jwks = published(site)
    site.clock.advance(91 * DAY)
    sweep(site.runtime, Event())
    kept = len(rows(site))
    site.clock.advance(2 * DAY)
    sweep(site.runtime, Event())

    assert has_private == [False] * len(ALGORITHMS) + [True] * len(ALGORITHMS)
    assert len(jwks) == kept == 2 * len(ALGORITHMS)
    assert len(rows(site)) == len(ALGORITHMS)
    assert published(site) == {row.kid for row in rows(site)}


def test_a_new_key_is_in_the_audit_log(start_site):
    site = start_site()
    site.clock.advance(site.runtime.settings.key_rotation_interval)

    rotate(site.runtime, Event())

    with site.db() as db:
        events = list(db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
        kids = {key.kid for key in signing_keys.timeline(db) if key.state(site.clock.now) == "next"}
    new = [event for event in events if event.event != "signing_key.created"]  # the first keys
    assert {event.event for event in new} == {"signing_key.rotated"}
    assert {event.detail["kid"] for event in new} == kids


@pytest.mark.parametrize("fresh_for", [(), ("ES256",)])
def test_keys_that_are_not_due_any_more_are_thrown_away(start_site, fresh_for):
    """Two nodes may generate; who comes second under the lock stores nothing."""
    site = start_site()
    fresh = signing_keys.generate(fresh_for)

    with site.db() as db:
        stored = signing_keys.rotate_if_due(
            db, site.runtime.vault, fresh, site.clock.now, timedelta(days=90)
        )

    assert stored == []
    assert states(site) == ["signing"]
