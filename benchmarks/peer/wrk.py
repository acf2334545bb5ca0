"""Sends a plan with wrk, and measures what the server takes meanwhile."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from benchmarks.peer.plans import Browsers, Plan
from benchmarks.peer.sides import Side
from benchmarks.trees import cpu_seconds

MISSING = "no wrk: install the package of that name"
CONNECTIONS = 8
_SCRIPTS = Path(__file__).parent
_ENVIRONMENT = {**os.environ, "LUA_PATH": f"{_SCRIPTS}/?.lua"}
_ERRORS_ALLOWED = 0.01
_LONG = 600.0
_UNTIL_ALL_SEND = 0.5


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
    plan: Plan | Browsers,
    seconds: float,
    folder: Path,
    *,
    steps: int = 1,
    connections: int = CONNECTIONS,
) -> Measure:
    """Send the plan for so long; `steps` requests make one operation.

    Raises RuntimeError if more than one in a hundred was refused.
    """
    command = _command(side, plan, folder, seconds, connections)
    side.tree.forget_peak()
    cpu, database = cpu_seconds(side.trees), side.database.cpu_seconds() if side.database else 0
    said = _run(command, seconds)
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


@contextmanager
def beside(side: Side, plan: Plan | Browsers, folder: Path) -> Iterator[None]:
    """Send the plan for as long as the block takes, and measure nothing of it."""
    command = _command(side, plan, folder, _LONG)
    with subprocess.Popen(
        command, env=_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as sender:
        try:
            time.sleep(_UNTIL_ALL_SEND)
            yield
            if sender.poll() is not None:
                raise RuntimeError(f"{side.name}: wrk ended by itself")
        finally:
            sender.kill()


def _command(
    side: Side,
    plan: Plan | Browsers,
    folder: Path,
    seconds: float,
    connections: int = CONNECTIONS,
) -> list[str]:
    """The command line, for a plan that is written down now."""
    with NamedTemporaryFile("w", dir=folder, suffix=".lua", delete=False) as file:
        file.write(plan.lua())
    return [
        "wrk",
        f"--threads={connections if plan.has_thread_for_each else 1}",
        f"--connections={connections}",
        f"--duration={max(1, round(seconds))}s",  # it knows no parts of a second
        f"--script={_SCRIPTS / plan.script}",
        side.address,
        "--",
        file.name,
    ]


def _run(command: list[str], seconds: float) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command,
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    if done.returncode or not done.stdout.strip().endswith("}"):
        raise RuntimeError(f"wrk: {done.stdout[-1000:]} {done.stderr[-1000:]}")
    return done
