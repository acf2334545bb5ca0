"""What the kernel says of a server: of its process and of all below it."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SCHEDULED = 2
"""The clock of a process that counts what the scheduler gave it."""
_TICK = os.sysconf("SC_CLK_TCK")
_PARENT, _ENDED_CHILDREN = 1, slice(13, 15)
"""Places in /proc/PID/stat after the name; of children that have ended user and system time."""


@dataclass(frozen=True)
class Tree:
    """A process with its children and theirs; those that have ended count with their parents."""

    pid: int

    def cpu_seconds(self) -> float:
        return sum(map(_cpu_seconds, self.pids()))

    def forget_peak(self) -> None:
        """Let the kernel begin anew with the most memory that each process has held."""
        for pid in self.pids():
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")

    def peak_megabytes(self) -> float:
        """The most that each has held, added up: what they share counts in each."""
        return sum(map(_peak_kilobytes, self.pids())) / 1024

    def pids(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for pid in _allpids():
            if fields := _stat(pid):
                children.setdefault(int(fields[_PARENT]), []).append(pid)
        found = [self.pid]
        for pid in found:
            found += children.get(pid, [])
        return found


def cpu_seconds(trees: Iterable[Tree]) -> float:
    return sum(tree.cpu_seconds() for tree in trees)


def _allpids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _stat(pid: int) -> list[str]:
    """Nothing of a process that is gone."""
    with suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()
    return []


def _cpu_seconds(pid: int) -> float:
    """By its own clock (clock_getcpuclockid(3)); of its children that have ended, in ticks."""
    with suppress(OSError):
        ended = sum(map(int, _stat(pid)[_ENDED_CHILDREN]))
        return time.clock_gettime((~pid << 3) | _SCHEDULED) + ended / _TICK
    return 0.0


def _peak_kilobytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
