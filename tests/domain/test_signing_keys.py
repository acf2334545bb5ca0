"""Signing keys come before they are needed, and at a moment that all processes know."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from oidc_server import schema
from oidc_server.domain import signing_keys
from oidc_server.domain.signing_keys import TAKES_EFFECT_AFTER, KeyRing, SigningKeyRow
from oidc_server.domain.signing_keys.timeline import ALL
from oidc_server.security.jose import ALGORITHMS
from tests.domain.plans import plan_of

SECOND = timedelta(seconds=1)


def rows(site):
    with site.db() as db:
        return list(db.session.scalars(select(SigningKeyRow).order_by(SigningKeyRow.kid)))


def upgrade(site):
    schema.upgrade(site.runtime.database, site.runtime.vault, site.clock.now)


def test_a_database_of_an_older_version_gets_the_keys_it_lacks(start_site):
    site = start_site()
    with site.db() as db:
        old = SigningKeyRow.alg.in_(("PS256", "EdDSA"))
        db.session.execute(delete(SigningKeyRow).where(old))

    upgrade(site)
    upgrade(site)

    ring = KeyRing(site.runtime.vault)
    with site.db() as db:
        ring.refresh(db, site.clock.now)
    assert ring.algorithms(site.clock.now) == ["ES256", "RS256"]
    later = site.clock.now + TAKES_EFFECT_AFTER + 5 * SECOND
    assert ring.algorithms(later) == sorted(ALGORITHMS)
    assert len(rows(site)) == len(ALGORITHMS)


def test_reading_all_of_them_which_no_index_helps_with_compiles_nothing(site):
    with site.db() as db:
        plan = plan_of(db, ALL)

    assert "JIT" not in plan


def test_a_start_with_all_keys_writes_nothing(start_site):
    site = start_site()
    before = [row.kid for row in rows(site)]

    upgrade(site)

    assert [row.kid for row in rows(site)] == before


def test_whoever_looked_before_a_change_publishes_the_same_as_who_looked_after_it(
    start_site,
):
    site = start_site()
    vault, now = site.runtime.vault, site.clock.now
    early, late = KeyRing(vault), KeyRing(vault)  # early looks again after three seconds
    fresh = signing_keys.generate(("ES256",))
    with site.db() as db:
        early.refresh(db, now)
        [leaked] = [key for key in signing_keys.timeline(db) if key.alg == "RS256"]
    with site.db() as db:
        signing_keys.rotate(db, vault, fresh, now, at_once=True)
        fresh = signing_keys.generate(("RS256",))
        signing_keys.revoke(db, vault, leaked.kid, fresh, now)

    seen = set()
    for tenths in range(300):
        at = now + tenths * SECOND / 10
        with site.db() as db:
            early.refresh(db, at)
            late.refresh(db, at)
        assert early.jwks(at) == late.jwks(at)
        for alg in ALGORITHMS:
            assert early.signer(alg, at).kid == late.signer(alg, at).kid
        seen.add(early.jwks(at))

    assert len(seen) == 3


def test_a_key_is_published_before_it_signs_and_after_it_signed_at_every_moment(start_site):
    """Five seconds on either side, since clocks differ."""
    site = start_site()
    vault, now = site.runtime.vault, site.clock.now
    for seconds in (0, 1, 4, 8, 20):
        with site.db() as db:
            signing_keys.rotate(
                db,
                vault,
                signing_keys.generate(("ES256",)),
                now + seconds * SECOND,
                at_once=seconds != 4,
            )
    ring = KeyRing(vault)
    with site.db() as db:
        ring.refresh(db, now)

    signers = set()
    for second in range(60):
        at = now + second * SECOND
        kid = ring.signer("ES256", at).kid
        signers.add(kid)
        for clock in (-4, 0, 4, 3600):
            assert kid.encode() in ring.jwks(at + clock * SECOND)

    assert len(signers) == 5


def test_a_clock_that_is_set_back_finds_somebody_who_signs(start_site):
    site = start_site()
    vault, now = site.runtime.vault, site.clock.now
    later = now + timedelta(days=2)
    with site.db() as db:
        signing_keys.rotate(db, vault, signing_keys.generate(("ES256",)), now)
        signing_keys.forget_private(db, later)
        ring = KeyRing(vault)
        ring.refresh(db, now)
    before_all = now - timedelta(days=400)

    for moment in (before_all, now, later):
        assert ring.algorithms(moment) == sorted(ALGORITHMS)
        assert ring.signer("ES256", moment).kid == ring.signer("ES256", later).kid
        assert f'"kid":"{ring.signer("ES256", moment).kid}"' in ring.jwks(moment).decode()


def test_keys_that_come_to_nothing_are_looked_at_again(site):
    """They may have been seen before they were committed."""
    ring, now = KeyRing(site.runtime.vault), site.clock.now
    with site.db() as db:
        ring.refresh(db, now)
    later = now + timedelta(minutes=1)

    def see_them() -> None:
        with site.db() as db:
            db.session.execute(delete(SigningKeyRow).where(SigningKeyRow.alg == "ES256"))
            ring.refresh(db, later)
            assert "ES256" not in ring.algorithms(later)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        see_them()

    assert not ring.is_fresh(later)
    with site.db() as db:
        ring.refresh(db, later)
    assert "ES256" in ring.algorithms(later)
