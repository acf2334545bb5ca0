"""How often a password may be guessed, on both databases."""

from datetime import timedelta

import pytest

from oidc_server.database import Database
from oidc_server.domain import attempts
from oidc_server.domain.attempts import Allowed, Throttled
from tests.domain.conftest import NOW
from tests.domain.racing import race

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
ACCOUNT = "2b1c0b6e-5d0f-4f0b-9a53-0d6f6f1b4a11"
FREE = 10


def guess(database, account=ACCOUNT, now=NOW, browser=None):
    with database.transaction("write") as db:
        return attempts.book(db, account, now, browser=browser)


def succeed(database, subject, now=NOW, browser=None):
    with database.transaction("write") as db:
        attempts.clear(db, subject, now)
        return browser is not None and attempts.remember_browser(db, ACCOUNT, browser, now)


def use_up(database, account=ACCOUNT, now=NOW, browser=None):
    outcomes = [guess(database, account, now, browser) for _ in range(FREE)]
    assert all(isinstance(outcome, Allowed) for outcome in outcomes)


def test_ten_guesses_are_free_and_the_next_must_wait(database):
    use_up(database)

    refused = guess(database)

    assert refused == Throttled(retry_after=30 * SECOND)


def test_the_wait_ends_and_then_grows_but_never_over_a_quarter_of_an_hour(database):
    use_up(database)
    now, waits = NOW, []

    for _ in range(9):
        refused = guess(database, now=now)
        assert isinstance(refused, Throttled)
        waits.append(refused.retry_after.total_seconds())
        assert isinstance(guess(database, now=now + refused.retry_after - SECOND), Throttled)
        now += refused.retry_after
        assert isinstance(guess(database, now=now), Allowed)

    assert waits == [30, 60, 120, 240, 480, 900, 900, 900, 900]


def test_guesses_that_are_refused_do_not_prolong_the_wait(database):
    use_up(database)

    for _ in range(50):
        guess(database, now=NOW + 10 * SECOND)

    assert guess(database, now=NOW + 20 * SECOND) == Throttled(retry_after=10 * SECOND)
    assert isinstance(guess(database, now=NOW + 30 * SECOND), Allowed)


def test_a_success_clears_the_count(database):
    use_up(database)
    allowed = guess(database, now=NOW + 30 * SECOND)

    succeed(database, allowed.subject, NOW + 30 * SECOND)

    use_up(database, now=NOW + 31 * SECOND)


def test_a_day_without_guesses_is_forgiven(database):
    use_up(database)

    use_up(database, now=NOW + timedelta(days=1))


def test_a_name_without_an_account_is_throttled_alike(database):
    nobody = attempts.nobody("nobody")

    use_up(database, nobody)

    assert guess(database, nobody) == Throttled(retry_after=30 * SECOND)
    assert isinstance(guess(database, attempts.nobody("somebody else")), Allowed)


def test_strangers_do_not_lock_out_a_browser_that_knew_the_password_before(database):
    succeed(database, guess(database, browser="hers").subject, browser="hers")
    use_up(database, browser="a stranger's")

    assert isinstance(guess(database, browser="a stranger's"), Throttled)
    assert isinstance(guess(database), Throttled)
    assert isinstance(guess(database, browser="hers"), Allowed)


def test_signing_in_from_a_known_browser_gives_strangers_no_new_guesses(database):
    succeed(database, guess(database, browser="hers").subject, browser="hers")
    use_up(database, browser="a stranger's")

    succeed(database, guess(database, browser="hers").subject, browser="hers")

    assert isinstance(guess(database, browser="a stranger's"), Throttled)


def test_a_known_browser_is_throttled_by_its_own_count(database):
    succeed(database, guess(database, browser="hers").subject, browser="hers")

    use_up(database, browser="hers")

    assert guess(database, browser="hers") == Throttled(retry_after=30 * SECOND)
    assert isinstance(guess(database), Allowed)


def test_a_new_password_forgives_the_wrong_ones(database):
    use_up(database)

    with database.transaction("write") as db:
        attempts.forgive(db, ACCOUNT, NOW)

    use_up(database)


def test_mails_to_one_address_are_few_and_of_each_kind_apart(database):
    def mail(kind, to, now=NOW):
        with database.transaction("write") as db:
            return isinstance(attempts.book_mail(db, kind, to, now), Allowed)

    assert [mail("reset", "ada@example.com") for _ in range(7)] == [True] * 5 + [False] * 2
    assert mail("verify", "ada@example.com")
    assert mail("reset", "eve@example.com")
    assert mail("reset", "ada@example.com", NOW + timedelta(minutes=5))


def test_counts_are_deleted_once_they_say_nothing(database):
    succeed(database, guess(database, browser="hers").subject, browser="hers")
    guess(database, attempts.nobody("nobody"))

    def prune(now):
        with database.transaction("write") as db:
            return attempts.prune(db, now, 100)

    assert prune(NOW + timedelta(hours=23)) == 0
    assert prune(NOW + timedelta(days=2)) == 2
    assert isinstance(guess(database, browser="hers"), Allowed)
    assert prune(NOW + timedelta(days=399)) == 0
    assert prune(NOW + timedelta(days=401)) == 2


def _guess_twenty_times(database: Database, name: str) -> int:
    return sum(isinstance(guess(database), Allowed) for _ in range(20))


@pytest.mark.race
@pytest.mark.slow
def test_guesses_at_once_do_not_get_past_the_limit(database):
    allowed = race(_guess_twenty_times, database)

    assert sum(allowed) == FREE


def test_a_password_that_is_given_once_more_makes_no_browser_forgotten(database):
    succeed(database, guess(database, browser="hers").subject, browser="hers")
    succeed(database, "user:x", browser="another")

    succeed(database, guess(database, browser="hers").subject)

    with database.transaction("write") as db:
        attempts.prune(db, NOW + timedelta(days=30), 100)
        assert not attempts.remember_browser(db, ACCOUNT, "hers", NOW + timedelta(days=30))


def test_a_browser_is_new_unless_it_is_known_or_the_first(database):
    sign_ins = [succeed(database, "user:x", browser=browser) for browser in ("a", "a", "b", "b")]
    with database.transaction("write") as db:
        attempts.forget_browsers(db, ACCOUNT)
    again = [succeed(database, "user:x", browser=browser) for browser in ("a", "a")]

    assert (sign_ins, again) == ([False, False, True, False], [True, False])


def test_a_guess_that_began_before_one_that_was_counted_earlier_is_not_refused(database):
    """Of two at once either may come to the row first, whatever their clocks say."""
    answers = [guess(database, now=NOW - number * SECOND) for number in range(5)]

    assert {type(answer) for answer in answers} == {Allowed}


def test_who_waited_by_a_clock_that_was_set_back_waits_no_longer(database):
    ahead = NOW + 3 * HOUR
    use_up(database, now=ahead)
    assert isinstance(guess(database, now=ahead), Throttled)

    assert isinstance(guess(database, now=NOW), Allowed)

    # The count goes on, so that nobody guesses for nothing.
    assert guess(database, now=NOW) == Throttled(retry_after=60 * SECOND)
