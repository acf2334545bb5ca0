"""Asks this server and the peer in turn, and prints a row as soon as it is known."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import databases, floors
from benchmarks.peer import empty, ours, passwords, report, theirs, wrk
from benchmarks.peer.operations import OPERATIONS, Operation
from benchmarks.peer.sides import Side
from benchmarks.trees import Tree
from oidc_server.security.passwords import PasswordHasher
from oidc_server.settings import load

PASSWORDS = "sign-in with a password"
_WARMING_SECONDS = 1


def missing() -> str | None:
    """What this machine lacks for a comparison."""
    return theirs.missing() or (None if wrk.is_there() else wrk.MISSING)


def names() -> list[str]:
    return [*(operation.name for operation in OPERATIONS), PASSWORDS]


def print_comparison(folder: Path, options: Namespace) -> None:
    """Every operation whose name has `options.only` in it, on each kind of server."""
    chosen = [one for one in OPERATIONS if options.only in one.name]
    report.print_head(options.rounds, options.seconds)
    print_floors(folder, options)
    with _sides(folder, options) as (sides, peer):
        report.print_columns()
        for operation in chosen:
            for row in _rows(operation, sides, peer, folder, options):
                report.print_row(operation, *row)
        if options.only in PASSWORDS:
            _print_passwords(sides, folder, options.seconds)


def print_floors(folder: Path, options: Namespace) -> None:
    """What this machine needs for the parts that nobody gets around."""
    with empty.running(folder / "empty.log") as side:
        answer = wrk.send(side, empty.PLAN, options.seconds, folder)
    parts = floors.floors(folder, options.seconds / 4, options.sqlite_only)
    report.print_floors({"an empty Starlette answer": answer.cpu_ms, **parts})


def _rows(
    operation: Operation, sides: list[Side], peer: Side, folder: Path, options: Namespace
) -> Iterator[tuple[Side, list[wrk.Measure], list[wrk.Measure]]]:
    """For each of our servers: what it took in each round, and what the peer took right after."""
    kept: list[tuple[Side, list[wrk.Measure], list[wrk.Measure]]] = [
        (side, [], []) for side in sides
    ]
    others = [peer] if operation.has_peer else []
    for side in (*sides, *others):
        _send(operation, side, _WARMING_SECONDS, folder)
    for _ in range(options.rounds):
        for side, own, other in kept:
            own.append(_send(operation, side, options.seconds, folder))
            other.extend(_send(operation, one, options.seconds, folder) for one in others)
    yield from kept


def _send(operation: Operation, side: Side, seconds: float, folder: Path) -> wrk.Measure:
    return wrk.send(side, operation.plan(side), seconds, folder, steps=operation.steps)


def _print_passwords(sides: list[Side], folder: Path, seconds: float) -> None:
    settings = load({"OIDC_DATA_DIR": str(folder / "floors")}, None)
    hasher = PasswordHasher(
        settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism
    )
    [tokens] = [one for one in OPERATIONS if one.name == "client credentials, JWT against JWT"]
    report.print_password_columns()
    for side in sides:
        for door in passwords.DOORS:
            flood = passwords.flood(side, door, tokens.plan(side), hasher, seconds, folder)
            report.print_flood(side, door, flood)


@contextmanager
def _sides(folder: Path, options: Namespace) -> Iterator[tuple[list[Side], Side]]:
    """This server on each database with each number of workers, and the peer."""
    workers = (1,) if options.quick else (1, 2)
    with ExitStack() as stack:
        started = [
            stack.enter_context(ours.running(_name("SQLite", count), folder / f"sqlite-{count}",
                                             count, None, None))
            for count in workers
        ]  # fmt: skip
        if not options.sqlite_only and databases.can_start_postgres():
            server, pid = stack.enter_context(databases.durable_postgres(folder / "durable"))
            for count in workers:
                place, url = folder / f"postgresql-{count}", server.create_database()
                running = ours.running(_name("PostgreSQL", count), place, count, url, Tree(pid))
                started.append(stack.enter_context(running))
        peer = stack.enter_context(theirs.running(folder / "peer.log"))
        yield started, peer


def _name(database: str, workers: int) -> str:
    return database if workers == 1 else f"{database}, {workers} workers"
