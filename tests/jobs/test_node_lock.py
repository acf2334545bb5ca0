"""Which worker runs the jobs."""

import multiprocessing
import time
from pathlib import Path

import pytest

from oidc_server.jobs.node_lock import NodeLock


def test_one_of_two_holds_the_lock_until_it_releases_it(tmp_path):
    first, second = NodeLock(tmp_path / "data" / "lock"), NodeLock(tmp_path / "data" / "lock")

    assert first.acquire()
    assert not second.acquire()
    assert first.acquire()

    first.release()
    assert second.acquire()
    assert not first.acquire()
    second.release()


@pytest.mark.slow
def test_the_lock_of_a_process_that_died_is_free(tmp_path):
    path = tmp_path / "lock"
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=hold, args=(path, answers))
    process.start()
    assert answers.get(timeout=30)
    lock = NodeLock(path)
    assert not lock.acquire()

    process.kill()
    process.join()

    assert lock.acquire()
    lock.release()


def hold(path: Path, answers: "multiprocessing.Queue[bool]") -> None:
    lock = NodeLock(path)
    answers.put(lock.acquire())
    time.sleep(60)


def test_where_no_file_can_be_made_everybody_runs_the_jobs(tmp_path):
    (tmp_path / "data").write_text("not a folder")

    first, second = (NodeLock(tmp_path / "data" / "lock") for _ in range(2))

    assert first.acquire()
    assert second.acquire()
