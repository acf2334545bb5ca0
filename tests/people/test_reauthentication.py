"""Proving once more who one is: the password again, or a sign-in of just now for who has none."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from oidc_server.domain import attempts, credentials, endings, users
from oidc_server.domain.attempts import Throttled
from oidc_server.domain.audit import AuditEvent
from oidc_server.people import reauthentication
from oidc_server.web.context import Context
from oidc_server.web.incoming import Incoming
from tests.authentication.forms import new_browser, sign_in
from tests.authentication.test_email_change import SCOPE
from tests.factories import PASSWORD, make_user
from tests.held_up import held_up

LONG_AGO = timedelta(days=1)


def context(site, db):
    return Context(Incoming(dict(SCOPE)), site.runtime, "ref", db=db)


def begin(site, person, password, signed_in_before=LONG_AGO):
    """As an endpoint does: what is left to compute runs outside of any transaction."""
    with site.db() as db:
        auth_time = site.clock.now - signed_in_before
        found = reauthentication.begin(context(site, db), person.id, password, auth_time)
    return found() if callable(found) else found


def settle(site, proof):
    with site.db() as db:
        return reauthentication.settle(context(site, db), proof)


def without_password(site):
    person = make_user(site)
    with site.db() as db:
        credentials.set_password(db, person.id, None, site.clock.now)
    return person


def events(site):
    with site.db() as db:
        return [(row.event, row.detail["reason"]) for row in db.session.scalars(select(AuditEvent))]


def test_the_password_proves_it_however_old_the_sign_in_is(site):
    proof = begin(site, make_user(site), PASSWORD)

    assert proof.holds
    assert settle(site, proof)
    assert events(site) == []


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        (None, "password_missing"),
        ("", "password_missing"),
        ("not the password", "password_wrong"),
        ("x" * 5000, "password_wrong"),
        ("nul\0", "password_wrong"),
    ],
)
def test_for_who_has_a_password_nothing_else_does_also_right_after_the_sign_in(
    site, password, refusal
):
    proof = begin(site, make_user(site), password, timedelta())

    assert proof.refusal == refusal
    assert not settle(site, proof)
    assert events(site) == [("reauthentication.failed", refusal)]


@pytest.mark.parametrize(
    ("ago", "holds"),
    [
        (timedelta(), True),
        (timedelta(minutes=5), True),
        (timedelta(minutes=5, seconds=1), False),
        (-timedelta(seconds=1), False),
    ],
)
def test_who_has_none_must_have_signed_in_just_now(site, ago, holds):
    proof = begin(site, without_password(site), "whatever", ago)

    assert settle(site, proof) == holds


def test_guesses_count_with_those_of_the_sign_in(site):
    person = make_user(site)
    refusals = [begin(site, person, "wrong").refusal for _ in range(11)]

    throttled = begin(site, person, PASSWORD)

    assert refusals == ["password_wrong"] * 10 + ["throttled"]
    assert (throttled.refusal, throttled.retry_after) == ("throttled", 30)
    with site.db() as db:
        assert isinstance(attempts.book(db, person.id, site.clock.now), Throttled)


def test_a_right_one_clears_the_count(site):
    person = make_user(site)
    for _ in range(9):
        begin(site, person, "wrong")
    assert settle(site, begin(site, person, PASSWORD))

    assert [begin(site, person, "wrong").refusal for _ in range(10)] == ["password_wrong"] * 10


def test_what_changes_while_it_is_computed_counts(site):
    person, other = make_user(site), without_password(site)
    proof, fresh = begin(site, person, PASSWORD), begin(site, other, None, timedelta())

    with site.db() as db:
        endings.change_password(db, person.id, "another hash", site.clock.now)
        endings.change_password(db, other.id, "a first hash", site.clock.now)

    assert not settle(site, proof)
    assert not settle(site, fresh)
    assert [reason for _, reason in events(site)] == ["changed_meanwhile"] * 2


def test_for_who_has_no_password_nothing_counts_that_began_before_the_account_was_disowned(site):
    """Else whoever was in would choose a password after everything was closed to them."""
    person, browser = make_user(site), new_browser(site)
    sign_in(browser, person.username)
    with site.db() as db:
        credentials.set_password(db, person.id, None, site.clock.now)
    site.clock.advance(1)
    page = browser.go("/account/security/password")

    with site.db() as db:
        endings.disown(db, person.id, site.clock.now, site.clock.now)
        choose = held_up(lambda: browser.send(page, form=-1, password="one of the intruder's own"))
    choose()

    with site.db() as db:
        assert users.get(db, person.id).password_hash is None
