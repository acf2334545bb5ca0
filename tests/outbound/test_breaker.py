"""The circuit breaker of a failing service opens, and then admits one trial at a time."""

import threading
from contextlib import suppress

import pytest

from oidc_server.observability.metrics import REGISTRY
from oidc_server.outbound.breaker import Breaker, BreakerOpenError

OPEN_SECONDS = 60.0


class SaidNoError(Exception):
    """The service works, and refuses."""


class Seconds:
    now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def breaker(seconds):
    return Breaker("mail", 3, OPEN_SECONDS, 2, answers=[SaidNoError], monotonic=seconds)


def fail(breaker, times=1, error=OSError):
    for _ in range(times):
        with suppress(error), breaker.guard():
            raise error("down")


def succeed(breaker, times=1):
    for _ in range(times):
        with breaker.guard():
            pass


def test_the_caller_sees_what_happened_also_when_the_breaker_opens(breaker):
    for _ in range(3):
        with pytest.raises(OSError, match="down"), breaker.guard():
            raise OSError("down")

    with pytest.raises(BreakerOpenError), breaker.guard():
        pytest.fail("the call was made")


def test_a_success_in_between_starts_the_count_anew(breaker):
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 2)

    succeed(breaker)


def test_an_open_breaker_says_when_to_come_back(breaker):
    fail(breaker, 3)

    with pytest.raises(BreakerOpenError, match="mail") as refusal, breaker.guard():
        pass

    assert 0 < refusal.value.retry_after <= OPEN_SECONDS


def test_a_service_that_refuses_a_call_counts_as_working(breaker):
    fail(breaker, 10, SaidNoError)

    succeed(breaker)


def test_it_takes_several_successes_to_be_trusted_again(breaker, seconds):
    fail(breaker, 3)
    seconds.sleep(OPEN_SECONDS)

    succeed(breaker)
    fail(breaker)

    with pytest.raises(BreakerOpenError), breaker.guard():
        pass


def test_after_enough_successes_it_takes_as_many_failures_as_before(breaker, seconds):
    fail(breaker, 3)
    seconds.sleep(OPEN_SECONDS)
    succeed(breaker, 2)

    fail(breaker, 2)

    succeed(breaker)


def test_a_trial_that_fails_opens_the_breaker_again(breaker, seconds):
    fail(breaker, 3)
    seconds.sleep(OPEN_SECONDS)

    fail(breaker)

    with pytest.raises(BreakerOpenError), breaker.guard():
        pass
    seconds.sleep(OPEN_SECONDS)
    succeed(breaker, 2)


def test_one_trial_runs_at_a_time(breaker, seconds):
    fail(breaker, 3)
    seconds.sleep(OPEN_SECONDS)

    with breaker.guard(), pytest.raises(BreakerOpenError) as refusal, breaker.guard():
        pytest.fail("a second trial was made")

    assert refusal.value.retry_after == 1
    succeed(breaker)


@pytest.mark.race
def test_of_many_threads_that_come_at_once_one_makes_the_trial(breaker, seconds):
    fail(breaker, 3)
    seconds.sleep(OPEN_SECONDS)
    all_came, made = threading.Barrier(16), []

    def call():
        all_came.wait(20)
        try:
            with breaker.guard():
                made.append(1)
                all_came.wait(20)
        except BreakerOpenError:
            all_came.wait(20)

    in_threads(16, call)

    assert made == [1]


def test_calls_to_a_service_that_works_run_side_by_side(breaker):
    together = threading.Barrier(5)

    def call():
        with breaker.guard():
            together.wait(timeout=60)

    in_threads(5, call)

    assert not together.broken


@pytest.mark.race
def test_failures_of_many_threads_are_all_counted():
    breaker = Breaker("mail", 500, 60, 1)

    in_threads(10, lambda: fail(breaker, 50))

    with pytest.raises(BreakerOpenError), breaker.guard():
        pass


def test_a_trial_that_is_broken_off_does_not_keep_others_out(breaker, seconds):
    fail(breaker, 3)
    seconds.sleep(OPEN_SECONDS)
    with suppress(KeyboardInterrupt), breaker.guard():
        raise KeyboardInterrupt

    seconds.sleep(OPEN_SECONDS)

    succeed(breaker)


def test_it_goes_from_closed_to_open_to_half_open_to_closed_and_tells(breaker, seconds, caplog):
    def counted(state):
        sample = {"service": "mail", "state": state}
        return REGISTRY.get_sample_value("oidc_breaker_transitions_total", sample) or 0

    def left_alone():
        return REGISTRY.get_sample_value("oidc_breakers_open", {"service": "mail"}) or 0

    states = ("open", "half-open", "closed")
    before, alone = [counted(state) for state in states], left_alone()
    seen = [(breaker.state, breaker.refuses)]
    with caplog.at_level("INFO", "oidc_server.outbound.breaker"):
        fail(breaker, 3)
        seen.append((breaker.state, breaker.refuses))
        assert left_alone() == alone + 1
        seconds.sleep(OPEN_SECONDS - 1)
        with pytest.raises(BreakerOpenError) as refusal, breaker.guard():
            pass
        seconds.sleep(1)
        seen.append((breaker.state, breaker.refuses))
        succeed(breaker)
        seen.append((breaker.state, breaker.refuses))
        succeed(breaker)
        seen.append((breaker.state, breaker.refuses))

    assert refusal.value.retry_after == 1
    assert seen == [
        ("closed", False),
        ("open", True),
        ("open", False),
        ("half-open", False),
        ("closed", False),
    ]
    assert [counted(state) for state in states] == [count + 1 for count in before]
    assert left_alone() == alone
    lines = [record.msg for record in caplog.records]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("circuit breaker opened", "warning"),
        ("circuit breaker half-open", "info"),
        ("circuit breaker closed", "info"),
    ]
    assert {line["service"] for line in lines} == {"mail"}


def test_while_somebody_tries_the_others_do_without(breaker, seconds):
    fail(breaker, 3)
    seconds.sleep(OPEN_SECONDS)

    with breaker.guard():
        assert breaker.refuses


def test_a_breaker_that_is_retired_is_not_counted_as_open(breaker):
    fail(breaker, 3)
    alone = REGISTRY.get_sample_value("oidc_breakers_open", {"service": "mail"}) or 0

    breaker.retire()

    assert REGISTRY.get_sample_value("oidc_breakers_open", {"service": "mail"}) == alone - 1


def test_a_call_that_fails_after_its_breaker_was_retired_is_not_counted(breaker):
    alone = REGISTRY.get_sample_value("oidc_breakers_open", {"service": "mail"}) or 0

    breaker.retire()
    fail(breaker, 3)

    assert (REGISTRY.get_sample_value("oidc_breakers_open", {"service": "mail"}) or 0) == alone


def in_threads(count, call):
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
