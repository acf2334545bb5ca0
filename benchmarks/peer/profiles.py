"""Where the time of an operation goes, by part, in percent: on SQLite, in one process.

The profiler makes every call of Python dearer, and none of what happens in C: read it as an order.
"""

import marshal
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.peer import ours, wrk
from benchmarks.peer.operations import OPERATIONS

Function = tuple[str, int, str]

_SCRIPT = Path(__file__).with_name("profiled.py")
_PATIENCE = 20.0
# The first that fits; the names of functions in C stand in for their files.
_PARTS = (
    ("server", ("uvicorn", "starlette", "asyncio", "uvloop", "httptools", "/cli/")),
    ("parsing", ("urllib/parse", "web/incoming", "web/cookies", "http/cookies", "json/decoder")),
    (
        "adapter",
        ("oidc_server/web/", "oidc_server/api/", "oidc_server/observability", "oidc_server/app"),
    ),
    ("Authlib", ("authlib", "oidc_server/oauth2/server")),
    ("database", ("sqlite3", "sqlalchemy", "oidc_server/database", "greenlet")),
    ("signing", ("cryptography", "joserfc", "oidc_server/security", "hashlib", "hmac", "_sha")),
    ("rendering", ("jinja2", "markupsafe", "templates/", "json/encoder", "orjson")),
    ("rules and tables", ("oidc_server/domain",)),
    ("handlers", ("oidc_server/",)),
)


def print_profiles(folder: Path, only: str, seconds: float) -> None:
    """A column for each operation whose name has `only` in it."""
    file = folder / "profile"
    program = (sys.executable, str(_SCRIPT), str(file))
    with ours.running("SQLite", folder / "profiled", 1, None, None, program) as side:
        for operation in OPERATIONS:
            if only not in operation.name:
                continue
            plan = operation.plan(side)
            wrk.send(side, plan, seconds, folder, steps=operation.steps)
            plan = operation.plan(side)
            os.kill(side.tree.pid, signal.SIGUSR1)
            wrk.send(side, plan, seconds, folder, steps=operation.steps)
            os.kill(side.tree.pid, signal.SIGUSR2)
            _print(operation.name, parts(_read(file)))


def parts(functions: dict[Function, Any]) -> dict[str, float]:
    """Percent of the time by part; what C does counts with who called it, unless it has a part."""
    spent: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in functions.items():
        part = _part(function)
        if part is not None or not callers:
            spent[part or "other"] += own
            continue
        for caller, times in callers.items():
            spent[_part(caller) or "other"] += times[2]
    whole = sum(spent.values()) or 1.0
    return {part: 100 * took / whole for part, took in spent.most_common()}


def _part(function: Function) -> str | None:
    file, _, name = function
    place = name if file == "~" else file
    for part, words in _PARTS:
        if any(word in place for word in words):
            return part
    return None


def _read(file: Path) -> dict[Function, Any]:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            found: dict[Function, Any] = marshal.loads(file.read_bytes())  # noqa: S302 - ours
        except (OSError, EOFError, ValueError):
            time.sleep(0.1)  # it is not there yet, or not all of it
            continue
        file.unlink()
        return found
    raise RuntimeError("the profiler wrote nothing")


def _print(name: str, shares: dict[str, float]) -> None:
    print(f"\n| {name} | % |\n| --- | --- |")
    for part, share in shares.items():
        print(f"| {part} | {share:.0f} |", flush=True)
