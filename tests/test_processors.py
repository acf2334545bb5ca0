"""How many processors a process may use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from oidc_server import processors

ALL = len(os.sched_getaffinity(0))
LIMITED = {
    "max 100000": ALL,
    "100000 100000": 1,
    "20000 100000": 1,
    "110000 100000": min(ALL, 2),
    "9900000 100000": ALL,
    "nonsense": ALL,
}


def machine(root: Path, group: str, **limits: str) -> Path:
    """The files of a machine on which we are in this control group of v2."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(f"3:cpuset:/elsewhere\n0::{group}\n")
    for place, limit in limits.items():
        folder = root / "sys/fs/cgroup" / place.strip("_").replace("_", "/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(limit + "\n")
    return root


@pytest.mark.parametrize(("limit", "expected"), LIMITED.items())
def test_the_share_of_a_container_counts_and_a_part_of_a_processor_is_one(
    tmp_path: Path, limit: str, expected: int
) -> None:
    assert processors.usable(machine(tmp_path, "/", _=limit)) == expected


def test_the_smallest_share_of_all_control_groups_around_us_counts(tmp_path: Path) -> None:
    root = machine(
        tmp_path, "/pods/one", pods="50000 100000", pods_one="max 100000", other="1 100000"
    )

    assert processors.usable(root) == 1


def test_without_control_groups_all_count_that_we_are_let_run_on(tmp_path: Path) -> None:
    ask = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
    ask += "from oidc_server import processors; print(processors.usable())"

    let_run_on_one = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True
    )

    assert let_run_on_one.stdout == "1\n"
    assert processors.usable(tmp_path) == ALL


def test_one_process_computes_on_all_processors_and_of_many_each_on_two() -> None:
    all_of_them = processors.usable()

    assert processors.threads(1) == all_of_them
    assert processors.threads(1000) == min(all_of_them, 2)
    assert all(count * processors.threads(count) >= all_of_them for count in range(1, 9))
