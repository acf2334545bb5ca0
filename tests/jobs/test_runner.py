"""The loop around the jobs."""

import time
from datetime import timedelta
from threading import Event

import pytest

from oidc_server.database import DatabaseUnavailableError
from oidc_server.jobs.job import Job
from oidc_server.jobs.runner import Jobs
from tests.waiting import wait_for

MINUTE = timedelta(minutes=1)


class Work:
    """A job that counts how often it was done, and fails on demand."""

    def __init__(self):
        self.times = 0
        self.error = None

    def __call__(self, _runtime, _stopping):
        self.times += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def work():
    return Work()


def test_a_job_is_done_at_once_and_then_once_in_its_time(site, work):
    jobs = Jobs((Job("sweep", work, every=10 * MINUTE),))

    jobs.run_due(site.runtime)
    site.clock.advance(9 * MINUTE)
    jobs.run_due(site.runtime)
    assert work.times == 1

    site.clock.advance(MINUTE)
    jobs.run_due(site.runtime)
    assert work.times == 2


def test_a_job_without_a_time_is_done_in_every_round_even_if_the_clock_stands_still(site, work):
    jobs = Jobs((Job("deliver", work, every=timedelta(), on_every_node=True),))

    for _ in range(3):
        jobs.run_due(site.runtime)

    assert work.times == 3


def test_a_clock_that_is_set_back_stops_no_job(site, work):
    jobs = Jobs((Job("sweep", work, every=10 * MINUTE),))
    jobs.run_due(site.runtime)

    site.clock.advance(-timedelta(days=365))
    jobs.run_due(site.runtime)

    assert work.times == 2


def test_of_two_nodes_one_does_a_job_until_it_dies(site, work):
    job = Job("sweep", work, every=10 * MINUTE)
    first, second = Jobs((job,)), Jobs((job,))

    for node in (first, second):
        node.run_due(site.runtime)
    assert work.times == 1

    site.clock.advance(10 * MINUTE)
    for node in (first, second):
        node.run_due(site.runtime)
    assert work.times == 2

    site.clock.advance(11 * MINUTE)
    second.run_due(site.runtime)
    assert work.times == 3


def test_a_node_that_found_a_job_taken_asks_again_every_minute(site, work):
    job = Job("sweep", work, every=10 * MINUTE)
    Jobs((job,)).run_due(site.runtime)
    second = Jobs((job,))
    site.clock.advance(9.5 * MINUTE)
    second.run_due(site.runtime)
    assert work.times == 1

    site.clock.advance(MINUTE)
    second.run_due(site.runtime)

    assert work.times == 2


def test_a_job_of_every_node_is_done_by_each(site, work):
    job = Job("deliver", work, every=MINUTE, on_every_node=True)

    for node in (Jobs((job,)), Jobs((job,))):
        node.run_due(site.runtime)

    assert work.times == 2


@pytest.mark.parametrize("error", [ZeroDivisionError(), DatabaseUnavailableError()])
def test_a_job_that_fails_stops_no_other_and_is_tried_again_after_a_rest(site, work, error):
    broken = Work()
    broken.error = error
    jobs = Jobs(
        (
            Job("broken", broken, every=10 * MINUTE),
            Job("sound", work, timedelta(), on_every_node=True),
        )
    )

    rounds_of_attempts = []
    for number in range(16):
        before = broken.times
        jobs.run_due(site.runtime)
        rounds_of_attempts += [number] * (broken.times - before)

    assert rounds_of_attempts == [0, 3, 8]
    assert work.times == 16


def test_a_job_that_works_again_returns_to_its_time(site, work):
    jobs = Jobs((Job("sweep", work, every=10 * MINUTE),))
    work.error = ZeroDivisionError()
    jobs.run_due(site.runtime)
    work.error = None

    for _ in range(20):
        jobs.run_due(site.runtime)

    assert work.times == 2


@pytest.mark.slow
def test_a_job_at_work_ends_when_the_server_stops(site):
    begun = Event()

    def wait(_runtime, stopping):
        begun.set()
        stopping.wait(60)

    jobs = Jobs((Job("slow", wait, timedelta(), on_every_node=True),))
    jobs.start(site.runtime)
    assert begun.wait(60)

    began_to_stop = time.monotonic()
    jobs.stop()

    assert time.monotonic() - began_to_stop < 20


@pytest.mark.slow
def test_of_two_workers_of_a_node_one_runs_the_jobs_until_it_ends(site, work):
    other_work = Work()
    first = Jobs((Job("deliver", work, timedelta(), on_every_node=True),))
    second = Jobs((Job("deliver", other_work, timedelta(), on_every_node=True),))
    first.start(site.runtime)
    wait_for(lambda: work.times)
    second.start(site.runtime)

    wait_for(lambda: work.times >= 3)
    assert other_work.times == 0
    first.stop()
    wait_for(lambda: other_work.times)

    second.stop()
