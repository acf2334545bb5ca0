"""What is deleted, and what is not."""

from datetime import timedelta
from threading import Event

from sqlalchemy import func, select

from oidc_server import domain
from oidc_server.domain import links, mails, outbox, used_jtis
from oidc_server.domain.mails import MailKind
from oidc_server.jobs.retention import sweep
from tests.device.devices import GRANTS, Device
from tests.factories import make_client
from tests.relying_party import signed_in

DAY = timedelta(days=1)
KEPT = {
    "audit_events",
    "clients",
    "client_secrets",
    "consents",
    "signing_keys",
    "users",
}
"""Tables that retention leaves alone."""


def counts(site):
    """Rows by table, of tables that hold any."""
    with site.db() as db:
        found = {
            table.name: db.session.scalar(select(func.count()).select_from(table))
            for table in domain.Base.metadata.sorted_tables
        }
    return {name: count for name, count in found.items() if count}


def use_everything(site):
    """Leave a row in every table that retention empties."""
    party, browser, person, tokens = signed_in(site)
    party.refresh(tokens["refresh_token"])
    party.post("/revoke", token=tokens["access_token"])
    site.clock.advance(5)
    Device(site, make_client(site, "native", redirect_uris=(), grant_types=GRANTS)).ask()
    page = browser.go(party.url(prompt="login"))
    browser.log_in(page, person, password="a wrong passphrase")
    with site.db() as db:
        link_id = links.mint(
            db,
            links.Purpose.RESET_PASSWORD,
            user_id=person.id,
            email=person.email,
            now=site.clock.now,
            lifetime=DAY,
        )
        mails.enqueue(
            db,
            MailKind.PASSWORD_RESET,
            user_id=person.id,
            to=person.email,
            link_id=link_id,
            now=site.clock.now,
        )
        item = outbox.lease(db, site.clock.now, DAY)
        assert item is not None
        outbox.delivered(db, item, site.clock.now)
        used_jtis.claim(
            db, "n", "c", "j", usable_from=site.clock.now, expires_at=site.clock.now + DAY
        )


def test_nothing_that_lives_is_deleted(site):
    use_everything(site)
    before = counts(site)

    sweep(site.runtime, Event())

    assert counts(site) == before
    assert set(before) - KEPT == {
        "attempts",
        "authorization_requests",
        "device_codes",
        "grants",
        "links",
        "outbox",
        "refresh_tokens",
        "revoked_tokens",
        "used_jtis",
        "user_sessions",
    }


def test_in_the_end_nothing_is_left_but_what_is_kept_on_purpose(site):
    use_everything(site)
    before = counts(site)

    site.clock.advance(500 * DAY)
    sweep(site.runtime, Event())

    assert counts(site) == {name: count for name, count in before.items() if name in KEPT}


def test_a_code_that_is_replayed_at_the_end_of_its_grant_still_revokes_it(site):
    party, browser, person, _ = signed_in(site)
    answer = party.authorize(browser, person, scope="openid offline_access")
    refresh_token = party.redeem(answer.code).json()["refresh_token"]
    for _ in range(3):
        site.clock.advance(9 * DAY)
        sweep(site.runtime, Event())
        refresh_token = party.refresh(refresh_token).json()["refresh_token"]

    assert party.redeem(answer.code).json()["error"] == "invalid_grant"

    assert party.refresh(refresh_token).json()["error"] == "invalid_grant"


def test_rows_are_deleted_in_small_batches_until_none_is_left(site):
    left = [450]
    sizes: list[int] = []

    def prune(_db, _now, limit):
        deleted = min(left[0], limit)
        left[0] -= deleted
        sizes.append(deleted)
        return deleted

    sweep(site.runtime, Event(), prunes=(prune,))

    assert sizes == [200, 200, 50]


def test_a_sweep_ends_when_the_server_stops(site):
    stopping, calls = Event(), []

    def prune(_db, _now, limit):
        stopping.set()
        calls.append(limit)
        return limit

    sweep(site.runtime, stopping, prunes=(prune, prune))

    assert len(calls) == 1
