"""The audit log: who did what, found by anything, changed by nobody."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import exc, text

from oidc_server.domain import audit, audit_trail
from oidc_server.domain.audit import COMMAND_LINE, JOBS, Event, Origin, Outcome
from oidc_server.domain.audit_trail import Entry, Filter
from oidc_server.domain.base import new_id
from oidc_server.jobs import audit_retention
from tests.domain.plans import plan_of
from tests.site import BEGINNING, Site

BROWSER = Origin("ref", "192.0.2.1", "Browser")
ADA, BOB = new_id(BEGINNING), new_id(BEGINNING)
DAY = timedelta(days=1)


def record(site: Site, event: Event, origin: Origin = BROWSER, **facts: Any) -> None:
    with site.db() as db:
        audit.record(db, event, origin=origin, now=site.clock.now, **facts)
    site.clock.advance(1)


def found(site: Site, limit: int = 100, before: str | None = None, **wanted: Any) -> list[Entry]:
    with site.db() as db:
        return audit_trail.search(db, Filter(**wanted), limit=limit, before=before)


def events(site: Site, **wanted: Any) -> list[str]:
    return [entry.event for entry in found(site, **wanted)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET address = '-'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE event = 'sign_in.failed'",
        "TRUNCATE audit_events",
    ],
)
def test_the_database_lets_nobody_change_or_delete_an_event(site: Site, statement: str) -> None:
    if statement.startswith("TRUNCATE") and site.runtime.database.is_sqlite:
        statement = "DELETE FROM audit_events WHERE true"  # it has no TRUNCATE
    record(site, Event.SIGN_IN_FAILED, user_id=ADA)

    with pytest.raises(exc.IntegrityError), site.db() as db:
        db.session.execute(text(statement))

    [entry] = found(site)
    assert entry.address == "192.0.2.1"


def test_what_is_older_than_the_retention_goes_and_nothing_else(site: Site) -> None:
    record(site, Event.SIGNED_IN, user_id=ADA)
    site.clock.advance(10 * DAY)
    record(site, Event.SIGNED_OUT, user_id=ADA)

    with site.db() as db:
        early = audit_trail.prune(db, site.clock.now, 10, retention=11 * DAY)
        due = audit_trail.prune(db, site.clock.now, 10, retention=5 * DAY)
        longer = audit_trail.prune(db, site.clock.now, 10, retention=8 * DAY)

    assert (early, due, longer) == (0, 1, 0)
    assert events(site) == ["session.ended"]
    with pytest.raises(exc.IntegrityError), site.db() as db:
        db.session.execute(text("DELETE FROM audit_events"))


def test_the_job_deletes_in_batches_until_nothing_is_due(site: Site) -> None:
    with site.db() as db:
        for _ in range(450):
            audit.record(db, Event.SIGNED_IN, origin=BROWSER, now=site.clock.now, user_id=ADA)
    site.clock.advance(site.runtime.settings.audit_retention + DAY)
    record(site, Event.SIGNED_OUT, user_id=ADA)

    audit_retention.sweep(site.runtime, _Never())  # type: ignore[arg-type]

    assert events(site) == ["session.ended"]


class _Never:
    """Nobody wants the job to stop, and it need not rest."""

    def wait(self, _seconds: float) -> bool:
        return False


@pytest.mark.parametrize(
    ("event", "origin", "facts", "actor"),
    [
        (Event.SIGNED_IN, BROWSER, {"user_id": ADA, "client_id": "app"}, ("user", ADA, None)),
        (Event.SIGN_IN_FAILED, BROWSER, {"user_id": ADA}, ("nobody", None, None)),
        (Event.PASSWORD_RESET_ASKED, BROWSER, {"user_id": ADA}, ("nobody", None, None)),
        (Event.CLIENT_REFUSED, BROWSER, {"client_id": "app"}, ("nobody", None, None)),
        (Event.CLIENT_CHANGED, BROWSER, {"client_id": "app"}, ("client", None, "app")),
        (
            Event.CODE_REPLAYED,
            BROWSER,
            {"user_id": ADA, "client_id": "app"},
            ("client", None, "app"),
        ),
        (Event.USER_CREATED, COMMAND_LINE, {"user_id": ADA}, ("command_line", None, None)),
        (Event.KEY_ROTATED, JOBS, {}, ("server", None, None)),
        (
            Event.USER_EDITED,
            BROWSER.of(client_id="console", user_id=BOB),
            {"user_id": ADA},
            ("user", BOB, "console"),
        ),
        (
            Event.USER_EDITED,
            BROWSER.of(client_id="service", user_id=None),
            {"user_id": ADA},
            ("client", None, "service"),
        ),
    ],
)
def test_a_row_says_who_did_it(
    site: Site,
    event: Event,
    origin: Origin,
    facts: dict[str, str],
    actor: tuple[str, str | None, str | None],
) -> None:
    record(site, event, origin, **facts)

    [entry] = found(site)
    assert (entry.actor, entry.actor_user_id, entry.actor_client_id) == actor
    assert (entry.user_id, entry.client_id) == (facts.get("user_id"), facts.get("client_id"))


def test_events_are_found_by_each_filter_and_by_all_at_once(site: Site) -> None:
    record(site, Event.SIGN_IN_FAILED, user_id=ADA, client_id="app")
    record(site, Event.SIGNED_IN, user_id=ADA, client_id="app")
    record(site, Event.SIGNED_IN, user_id=BOB)
    record(site, Event.USER_EDITED, BROWSER.of(client_id="console", user_id=BOB), user_id=ADA)
    record(site, Event.KEY_ROTATED, JOBS)
    second = BEGINNING + timedelta(seconds=1)

    assert len(events(site)) == 5
    assert events(site, user_id=ADA) == ["user.edited", "sign_in.succeeded", "sign_in.failed"]
    assert events(site, client_id="app") == ["sign_in.succeeded", "sign_in.failed"]
    assert events(site, actor_user_id=BOB) == ["user.edited", "sign_in.succeeded"]
    assert events(site, actor_client_id="console") == ["user.edited"]
    assert events(site, actor="server") == ["signing_key.rotated"]
    assert events(site, event="sign_in.failed") == ["sign_in.failed"]
    assert events(site, outcome=Outcome.FAILURE) == ["sign_in.failed"]
    assert len(events(site, outcome=Outcome.SUCCESS)) == 4
    assert events(site, since=second, until=second + timedelta(seconds=2)) == [
        "sign_in.succeeded",
        "sign_in.succeeded",
    ]
    assert events(site, until=second) == ["sign_in.failed"]
    assert events(
        site,
        user_id=ADA,
        client_id="app",
        actor="user",
        actor_user_id=ADA,
        event="sign_in.succeeded",
        outcome=Outcome.SUCCESS,
        since=second,
        until=second + DAY,
    ) == ["sign_in.succeeded"]


def test_pages_follow_one_another_without_gaps_also_within_one_moment(site: Site) -> None:
    with site.db() as db:
        for _ in range(7):
            audit.record(db, Event.SIGNED_IN, origin=BROWSER, now=site.clock.now, user_id=ADA)

    pages, last = [], None
    while page := found(site, limit=3, before=last, until=site.clock.now + DAY):
        pages.append(page)
        last = page[-1].id

    ids = [entry.id for page in pages for entry in page]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert ids == sorted(set(ids), reverse=True)


def test_of_two_states_only_what_differs_is_kept(site: Site) -> None:
    before = {"name": "Ada", "email": "a@example.com", "phone": "1"}
    after = {"name": "Ada", "email": "b@example.com", "city": "Paris"}

    record(site, Event.USER_EDITED, user_id=ADA, before=before, after=after)

    [entry] = found(site)
    assert entry.before == {"email": "a@example.com", "phone": "1"}
    assert entry.after == {"email": "b@example.com", "city": "Paris"}


@pytest.mark.parametrize(
    "wanted",
    [
        {"event": "sign_in.failed"},
        {"outcome": Outcome.FAILURE},
        {"actor": "server"},
        {"actor_user_id": ADA},
        {"actor_client_id": "app"},
        {"user_id": ADA},
        {"client_id": "app"},
        {},
    ],
    ids=lambda wanted: next(iter(wanted), "nothing"),
)
def test_each_filter_reads_an_index_and_sorts_nothing(
    site: Site, wanted: dict[str, object]
) -> None:
    """However long the log is: nothing reads all of it."""
    given = set(wanted) - {"outcome"}
    given |= {"failure"} if "outcome" in wanted else set()
    statement = audit_trail._page(frozenset(given | {"end"}))

    with site.db() as db:
        plan = plan_of(db, statement)

    name = f"ix_audit_events_{next(iter(wanted))}_id" if wanted else "audit_events"
    assert name in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan
    assert "SCAN audit_events" not in plan
