"""What grows is told from what goes up and down, and the soak itself does not rot."""

import subprocess
import sys

import pytest

from benchmarks.soak.samples import HANDLES, MEMORY, ROWS
from benchmarks.soak.verdicts import judge
from tests.project.repository import ROOT
from tests.services import run


def test_what_rises_once_and_stays_is_steady() -> None:
    assert judge(MEMORY, [100.0, 140.0, 150.0, 150.5, 150.0, 151.0, 150.0, 150.5, 151.0]).is_steady


def test_what_goes_up_and_down_is_steady() -> None:
    assert judge(ROWS, [10.0, 400.0, 20.0] * 10).is_steady


def test_what_rises_to_the_end_grows() -> None:
    assert not judge(MEMORY, [100.0 + step for step in range(30)]).is_steady
    assert not judge(HANDLES, [10.0 + step // 3 for step in range(30)]).is_steady


def test_what_may_rise_in_each_round_grows_only_beyond_that() -> None:
    assert judge(ROWS, [20.0 * step for step in range(30)], 20).is_steady
    assert not judge(ROWS, [40.0 * step for step in range(30)], 20).is_steady


def test_a_run_that_is_too_short_says_nothing() -> None:
    with pytest.raises(ValueError, match="too short"):
        judge(ROWS, [1.0, 2.0])


@pytest.mark.slow
def test_one_command_lives_through_a_few_rounds_and_judges() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--seconds", "1"],
        cwd=ROOT,
        env=run.clean_environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert "0 went wrong" in done.stdout, done.stdout + done.stderr
    for series in (
        "process 0: resident",
        "process 0: open files",
        "process 0: threads",
        "table users",
        "table audit_events",
        "write-ahead log",
    ):
        assert series in done.stdout
