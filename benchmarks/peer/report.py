"""The figures as a table in Markdown, to be pasted into docs/benchmarks.md as it is."""

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.peer import theirs
from benchmarks.peer.operations import Goal, Operation
from benchmarks.peer.passwords import P99_GOAL, RATE_GOAL, Door, Flood
from benchmarks.peer.sides import Side
from benchmarks.peer.wrk import CONNECTIONS, Measure
from oidc_server import __version__

_COLUMNS = (
    "operation",
    "on",
    "CPU ms",
    "of these the database",
    "per second",
    "p50 ms",
    "p99 ms",
    "peak MB",
    "peer: CPU ms",
    "per second",
    "p99 ms",
    "peak MB",
    "ratio of CPU (spread)",
    "hold / aim",
    "",
)
_PASSWORD_COLUMNS = (
    "sign-in with a password",
    "on",
    "CPU ms",
    "per second",
    "raw Argon2id",
    "part of it",
    "goal",
    "",
    "token p99 ms, quiet",
    "beside them",
    "times",
    "goal",
    "",
)


def print_head(rounds: int, seconds: float) -> None:
    load = os.getloadavg()[0]
    print(
        f"\nRun of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: version {__version__} on Python"
        f" {platform.python_version()}, beside {theirs.versions()}; {os.cpu_count()} processors,"
        f" load {load:.1f}. {CONNECTIONS} connections, {rounds} rounds of {seconds:g} s, the peer"
        " after each. Medians; the ratio is that of the same round, with its least and greatest."
        " A sign-in is two requests, and p50 and p99 are those of one.\n"
    )


def print_floors(parts: Mapping[str, float]) -> None:
    _row("floor of this machine", "ms")
    _row(*["---"] * 2)
    for name, cost in parts.items():
        _row(name, f"{cost:.3f}")
    print()


def print_columns() -> None:
    _row(*_COLUMNS)
    _row(*["---"] * len(_COLUMNS))


def print_row(
    operation: Operation, side: Side, own: Sequence[Measure], other: Sequence[Measure]
) -> None:
    """One operation on one of our servers; without `other` it has no peer."""
    database = _median(one.database_ms for one in own)
    figures = [
        operation.name,
        side.name,
        f"{_median(one.cpu_ms for one in own):.3f}",
        f"{database:.3f}" if side.database else "",
        f"{_median(one.per_second for one in own):.0f}",
        f"{_median(one.p50 for one in own):.2f}",
        f"{_median(one.p99 for one in own):.2f}",
        f"{max(one.peak_megabytes for one in own):.0f}",
    ]
    if not other:
        _row(*figures, *[""] * (len(_COLUMNS) - len(figures)))
        return
    ratios = [ours.cpu_ms / peers.cpu_ms for ours, peers in zip(own, other, strict=True)]
    ratio, goal = statistics.median(ratios), operation.goal_for(side)
    _row(
        *figures,
        f"{_median(one.cpu_ms for one in other):.3f}",
        f"{_median(one.per_second for one in other):.0f}",
        f"{_median(one.p99 for one in other):.2f}",
        f"{max(one.peak_megabytes for one in other):.0f}",
        f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        f"{goal.hold:g} / {goal.aim:g}" if goal else "",
        verdict(ratio, goal),
    )


def verdict(ratio: float, goal: Goal | None) -> str:
    """Whether a ratio reaches what is aimed at, what must hold, or neither."""
    if goal is None:
        return ""
    if ratio <= goal.aim:
        return "met, aim reached"
    return "met" if ratio <= goal.hold else "MISSED"


def print_password_columns() -> None:
    print()
    _row(*_PASSWORD_COLUMNS)
    _row(*["---"] * len(_PASSWORD_COLUMNS))


def print_flood(side: Side, door: Door, flood: Flood) -> None:
    part, times = flood.per_second / flood.raw_per_second, flood.busy_p99 / flood.quiet_p99
    _row(
        door.name,
        side.name,
        f"{flood.cpu_ms:.1f}",
        f"{flood.per_second:.1f}",
        f"{flood.raw_per_second:.1f}",
        f"{part:.2f}",
        f"{RATE_GOAL:g}",
        "met" if part >= RATE_GOAL else "MISSED",
        f"{flood.quiet_p99:.2f}",
        f"{flood.busy_p99:.2f}",
        f"{times:.1f}",
        f"{P99_GOAL:g}",
        "met" if times <= P99_GOAL else "MISSED",
    )


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)
