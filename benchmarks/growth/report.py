"""The figures of few and of many, side by side."""

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import databases
from benchmarks.growth import lists, places, protocol
from benchmarks.growth.places import Place
from benchmarks.growth.population import Population
from benchmarks.growth.turns import Question, Took, in_turn

LISTS_GOAL = 1.5
PROTOCOL_GOAL = 1.2
"""How much more of the processor a request may take of many people than of few."""
_CONFIGURATION = {"shared_buffers": "1GB", "max_wal_size": "4GB"}


def print_growth(folder: Path, options: Namespace) -> None:
    """Each request, asked in turn of a server with few people and of one with many."""
    print(f"Two populations on PostgreSQL, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    with (
        databases.durable_postgres(folder / "postgres", _CONFIGURATION) as (postgres, pid),
        ExitStack() as stack,
    ):
        few, many = (
            stack.enter_context(places.place(folder / str(users), postgres, pid, users, options))
            for users in options.users
        )
        for place in (few, many):
            _print_sizes(place.population)
        print(
            f"\n{options.calls} calls of each, asked in turn; medians; load"
            f" {os.getloadavg()[0]:.1f}. CPU is of the server and of PostgreSQL together."
        )
        sizes = [f"{place.population.users:,}" for place in (few, many)]
        _line("", *["answer, ms", ""], *["CPU, ms", ""], *["PostgreSQL, ms", ""], *["WAL, bytes"])
        _line("users", *sizes * 4, "ratio")
        for name, took in _asked(few, many, lists.questions, options.calls):
            _print(name, took, LISTS_GOAL)
        for name, took in _asked(few, many, protocol.questions, options.calls):
            _print(name, took, PROTOCOL_GOAL)


def _asked(
    few: Place, many: Place, questions: Callable[[Place], dict[str, Question]], calls: int
) -> Iterator[tuple[str, list[Took]]]:
    there = questions(many)
    for name, question in questions(few).items():
        yield name, in_turn(((few.meter, question), (many.meter, there[name])), calls)


def _print_sizes(population: Population) -> None:
    """What a row takes: the table, and with its indexes."""
    for name, rows, table, indexes in population.tables:
        whole = table + indexes
        _line(
            f"{population.users:,} users: {name}",
            f"{rows:,}",
            f"{whole / 1e6:,.0f} MB",
            f"{whole / rows:.0f} a row",
            f"  of it indexes {indexes / rows:.0f}",
        )


def _print(name: str, took: list[Took], goal: float) -> None:
    ratio = took[1].cpu_ms / took[0].cpu_ms
    cells = [
        *(f"{one.answer_ms:.2f}" for one in took),
        *(f"{one.cpu_ms:.2f}" for one in took),
        *(f"{one.database_ms:.2f}" for one in took),
        *(f"{one.wal_bytes:.0f}" for one in took),
    ]
    _line(name, *cells, f"{ratio:.2f}", f"  {'goal' if ratio <= goal else 'MISSED'}: {goal:g}")


def _line(name: str, *cells: str) -> None:
    print(f"  {name:<43}" + "".join(f"{cell:>11}" for cell in cells), flush=True)
