"""Sends a plan with wrk, and measures what the server takes meanwhile."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peer.plans import Plan
from benchmarks.peer.sides import Side
from benchmarks.trees import cpu_seconds

MISSING = "no wrk: install the package of that name"
_SCRIPT = Path(__file__).with_name("work.lua")
CONNECTIONS = 8
_ERRORS_ALLOWED = 0.01


@dataclass(frozen=True)
class Measure:
    """One run: per operation, of the server with all its processes and its database."""

    cpu_ms: float
    database_ms: float
    """The part of it that is the database's, where that is a process of its own."""
    per_second: float
    p50: float
    p99: float
    peak_megabytes: float


def is_there() -> bool:
    return shutil.which("wrk") is not None


def send(
    side: Side,
    plan: Plan,
    seconds: float,
    folder: Path,
    *,
    steps: int = 1,
    connections: int = CONNECTIONS,
) -> Measure:
    """Send the plan for so long; `steps` requests make one operation.

    Raises RuntimeError if more than one in a hundred was refused.
    """
    file = folder / "plan.lua"
    file.write_text(plan.lua())
    side.tree.forget_peak()
    cpu, database = cpu_seconds(side.trees), side.database.cpu_seconds() if side.database else 0
    said = _run(side, file, seconds, connections)
    cpu = cpu_seconds(side.trees) - cpu
    database = side.database.cpu_seconds() - database if side.database else 0
    found = json.loads(said.stdout.splitlines()[-1])
    count = found["requests"] / steps
    if not count or found["errors"] > _ERRORS_ALLOWED * found["requests"]:
        raise RuntimeError(f"{side.name}: {found} {said.stderr[:1000]}")
    return Measure(
        cpu_ms=1000 * cpu / count,
        database_ms=1000 * database / count,
        per_second=count / found["seconds"],
        p50=found["p50"],
        p99=found["p99"],
        peak_megabytes=side.tree.peak_megabytes(),
    )


def _run(
    side: Side, plan: Path, seconds: float, connections: int
) -> "subprocess.CompletedProcess[str]":
    whole = max(1, round(seconds))  # wrk knows no parts of a second
    command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={whole}s"]
    address = f"http://localhost:{side.port}"
    done = subprocess.run(
        [*command, f"--script={_SCRIPT}", address, "--", str(plan)],
        capture_output=True,
        text=True,
        timeout=whole + 60,
        check=False,
    )
    if done.returncode or not done.stdout.strip().endswith("}"):
        raise RuntimeError(f"wrk: {done.stdout[-1000:]} {done.stderr[-1000:]}")
    return done
