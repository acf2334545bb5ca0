"""How many processors this process may use: in a container, fewer than the machine has."""

import math
import os
from collections.abc import Iterator
from pathlib import Path


def usable(root: Path = Path("/")) -> int:
    """Processors that we are let run on, and no more than our share of their time; at least 1.

    The share is `cpu.max` of our control group and of those around it (cgroup v2), as the files
    below `root` tell it. A part of a processor counts as one.
    """
    return max(1, min([_let_run_on(), *(math.ceil(share) for share in _shares(root))]))


def threads(processes: int) -> int:
    """Threads that compute, for each of so many processes: its share of `usable`, and one more.

    Work does not come evenly: a process that has more of it uses a processor of the others.
    """
    processors = usable()
    return min(processors, math.ceil(processors / processes) + 1)


def _let_run_on() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _shares(root: Path) -> Iterator[float]:
    top = root / "sys/fs/cgroup"
    group = top / _own_group(root / "proc/self/cgroup")
    for place in (group, *group.parents):
        try:
            quota, period = (place / "cpu.max").read_text(encoding="ascii").split()
            yield int(quota) / int(period)
        except (OSError, ValueError, ZeroDivisionError):
            pass  # no such control group, or "max": as much as there is
        if place == top:
            return


def _own_group(listing: Path) -> str:
    """Where we are in the tree of control groups: the line of v2 is `0::/path`."""
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")
    return "" if ".." in own else own.strip("/")
