"""Where the threads of a worker run, as the kernel tells it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.deployment import Deployment
from tests.waiting import wait_for

pytestmark = pytest.mark.slow
DATABASE_THREADS = 3
EVERYWHERE = os.sched_getaffinity(0)
NICE = 16
"""The place of a thread's niceness in its stat, after the name."""


def test_threads_that_take_turns_share_a_processor_and_those_that_hash_run_anywhere(
    deploy: Callable[..., Deployment], ready_database_url: str
) -> None:
    deployment = deploy(workers=1, database_threads=str(DATABASE_THREADS), hash_concurrency="2")
    process = deployment.server.process.pid
    # SQLite has the event loop alone; with one processor there is nothing to choose.
    has_choice = len(EVERYWHERE) > 1 and not ready_database_url.startswith("sqlite")
    bound = 1 + DATABASE_THREADS if has_choice else 0

    for _ in range(2):
        wait_for(lambda: on_one_processor(process) == bound)
        for thread in threads(process):  # it is chosen anew each second
            os.sched_setaffinity(thread, EVERYWHERE)

    assert hashing(process)
    assert all(processors == EVERYWHERE for processors in hashing(process))


def on_one_processor(process: int) -> int:
    """How many threads are bound to one, and the same; none are if not all that are bound agree."""
    found = (frozenset(os.sched_getaffinity(thread)) for thread in threads(process))
    bound = [processors for processors in found if processors != EVERYWHERE]
    return len(bound) if len(set(bound)) == 1 and len(bound[0]) == 1 else 0


def hashing(process: int) -> list[set[int]]:
    """Where threads may run that come after the others."""
    return [
        os.sched_getaffinity(thread)
        for thread in threads(process)
        if niceness(process, thread) > niceness(process, process)
    ]


def niceness(process: int, thread: int) -> int:
    stat = Path(f"/proc/{process}/task/{thread}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[NICE])


def threads(process: int) -> list[int]:
    return [int(path.name) for path in Path(f"/proc/{process}/task").iterdir()]
