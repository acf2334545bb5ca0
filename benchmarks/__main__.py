"""Prints how fast the server starts, how much memory it holds, and what each answer costs."""

import argparse
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import databases, floors, memory, operations, process, stage
from benchmarks.growth.report import print_growth
from benchmarks.options import read_options
from benchmarks.overload import run as overload
from benchmarks.peer import profiles, rounds
from benchmarks.work_folder import work_folder
from oidc_server.clock import utc_now
from oidc_server.database import Database
from oidc_server.settings import Settings, load

START_GOAL_SECONDS = 2.0
_PEOPLE = 10
_SECRET = "a secret of the benchmarks that is long enough"
_SETTLING_SECONDS = 1.0


def main() -> None:
    """Measure everything, and print each figure as soon as it is known."""
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and clean up
    with work_folder("bench") as folder:
        print(f"{os.cpu_count()} processors, load {_load():.1f}\n")
        if options.growth:
            print_growth(folder, options)
        elif options.memory:
            on_each_database(print_memory, folder, options)
        elif options.overload:
            overload.print_overload(folder, options)
        elif options.profile is not None:
            profiles.print_profiles(folder, options.profile, options.seconds)
        else:
            lacking = None if options.alone else rounds.missing()
            if options.starts:
                print_start(folder, options.starts)
                if options.alone or lacking:  # the comparison begins with them too
                    print_floors(folder, options)
                on_each_database(print_costs, folder, options)
            if lacking:
                print(f"\nThe comparison with the peer is left out: {lacking}")
            elif not options.alone:
                rounds.print_comparison(folder, options)


def on_each_database(
    print_one: Callable[[Path, Mapping[str, str], argparse.Namespace], None],
    folder: Path,
    options: argparse.Namespace,
) -> None:
    """Print the same of one process on SQLite, and of one on PostgreSQL."""
    print_one(folder / "on-sqlite", {}, options)
    if options.sqlite_only or not databases.is_postgres_there():
        return
    with databases.postgres_url(folder / "postgres") as url:
        settings = {"OIDC_DATABASE_URL": url, "OIDC_SECRET_KEY": _SECRET}
        print_one(folder / "on-postgresql", settings, options)


def print_start(folder: Path, times: int) -> None:
    """The time from the command of `make serve` to the first answer."""
    print(f"From the command to the first answer, median of {times}")
    empty: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    for number in range(times):
        place = folder / f"start-{number}"
        place.mkdir()
        for starts in (empty, warm):
            with process.running(place, "--dev") as server:
                starts.append((server.started_in, server.cpu_seconds()))
    for name, starts in (("empty data folder", empty), ("warm data folder", warm)):
        seconds, cpu = (statistics.median(column) for column in zip(*starts, strict=True))
        used = f"{cpu:.2f} s of CPU"
        _line(name, f"{seconds:.2f} s", used, _verdict(seconds, START_GOAL_SECONDS, "s"))


def print_floors(folder: Path, options: argparse.Namespace) -> None:
    """What the machine needs for the dearest parts, alone and in this process."""
    print("\nFloors of this machine")
    for name, cost in floors.floors(folder, options.seconds / 4, options.sqlite_only).items():
        _line(name, f"{cost:.2f} ms")


def print_costs(folder: Path, settings: Mapping[str, str], options: argparse.Namespace) -> None:
    """Memory after real sign-ins, then the cost of each operation."""
    with _server(folder, settings) as (server, cast, kind):
        print(f"\nOne process on {kind}, one client; ID Tokens are RS256, the default")
        _print_idle(server)
        operations.sign_in_people(server, cast, options.sign_ins)
        time.sleep(_SETTLING_SECONDS)
        megabytes = server.resident_megabytes()
        _line(f"resident memory after {options.sign_ins} sign-ins", f"{megabytes:.0f} MB")
        _line("", "CPU of the server", "until the answer", "per second on one core")
        for name, operation in operations.operations(server, cast).items():
            cost = operations.measure(server, operation, options.seconds)
            per_second = f"{1000 / cost.cpu_ms:.0f}" if cost.cpu_ms else "-"
            _line(name, f"{cost.cpu_ms:.2f} ms", f"{cost.answer_ms:.2f} ms", per_second)
        _line("resident memory at the end", f"{server.resident_megabytes():.0f} MB")


def print_memory(folder: Path, settings: Mapping[str, str], options: argparse.Namespace) -> None:
    """Memory before anything was asked, then while very much is, and whether it goes on rising."""
    with _server(folder, settings) as (server, cast, kind):
        print(f"\nMemory of one process on {kind}, four clients at a time; load {_load():.1f}")
        _print_idle(server)
        found = []
        for answered, megabytes in memory.samples(server, cast, options.operations):
            _line(f"after {answered:,} operations", f"{megabytes:.1f} MB")
            found.append(megabytes)
        _line("at most", f"{max(found):.0f} MB", _verdict(max(found), memory.GOAL, "MB"))
        each = memory.growth(found)
        steady = "steady" if each <= memory.STEADY else "RISES"
        _line("each sample of the second half adds", f"{each:.2f} MB", steady)


@contextmanager
def _server(
    folder: Path, settings: Mapping[str, str]
) -> Iterator[tuple[process.Server, stage.Stage, str]]:
    """One process, who is known there, and the name of its database."""
    folder.mkdir()
    settings = {**settings, "OIDC_RATE_LIMITS": "off", "OIDC_ACCESS_TOKEN_LIFETIME": "1h"}
    with process.running(folder, settings=settings) as server:
        loaded = load({**settings, "OIDC_DATA_DIR": str(folder / "data")}, None)
        kind = "SQLite" if loaded.database_url.startswith("sqlite") else "PostgreSQL"
        yield server, _cast(loaded), kind


def _print_idle(server: process.Server) -> None:
    time.sleep(_SETTLING_SECONDS)  # it hashes for nobody when it begins
    megabytes = server.resident_megabytes()
    verdict = _verdict(megabytes, memory.IDLE_GOAL, "MB")
    _line("resident memory, nothing asked yet", f"{megabytes:.0f} MB", verdict)


def _cast(settings: Settings) -> stage.Stage:
    database = Database(settings.database_url)
    try:
        return stage.set_up(settings, database, utc_now(), _PEOPLE)
    finally:
        database.close()


def _load() -> float:
    return os.getloadavg()[0]


def _line(name: str, *cells: str) -> None:
    print(f"  {name:<52}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


def _verdict(value: float, goal: float, unit: str) -> str:
    return f"{'goal' if value <= goal else 'MISSED'}: {goal:g} {unit}"


if __name__ == "__main__":
    main()
