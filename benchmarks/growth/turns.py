"""Asks two places in turn, so that whatever else the machine does is the same for both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks.trees import Tree

ROUNDS = 30
_WARMING = 20


@dataclass(frozen=True)
class Question:
    """`prepare` makes what one call needs, and is not measured; `ask` is."""

    ask: Callable[[Any], object]
    prepare: Callable[[], Any] = field(default=lambda: None)


class Took(NamedTuple):
    """One call: until the answer, of the processor, and what it adds to the log of PostgreSQL."""

    answer_ms: float
    cpu_ms: float
    database_ms: float
    """The part of it that is the database's."""
    wal_bytes: float


@dataclass(frozen=True)
class Meter:
    """What is read before and after: a server, its database, and where that one's log ends."""

    server: Tree
    database: Tree
    wal_position: Callable[[], int]

    def measure(self, question: Question, calls: int) -> Took:
        """One round: the median until the answer, the means of the rest."""
        items = [question.prepare() for _ in range(calls)]
        answers = []
        written = self.wal_position()
        server, database = self.server.cpu_seconds(), self.database.cpu_seconds()
        for item in items:
            begun = time.perf_counter()
            question.ask(item)
            answers.append(1000 * (time.perf_counter() - begun))
        server = 1000 * (self.server.cpu_seconds() - server)
        database = 1000 * (self.database.cpu_seconds() - database)
        return Took(
            statistics.median(answers),
            (server + database) / calls,
            database / calls,
            (self.wal_position() - written) / calls,
        )


def in_turn(asked: tuple[tuple[Meter, Question], ...], calls: int) -> list[Took]:
    """The medians of the rounds in each place."""
    rounds: list[list[Took]] = [[] for _ in asked]
    for meter, question in asked:
        meter.measure(question, min(calls, _WARMING))
    for _ in range(min(calls, ROUNDS)):
        for found, (meter, question) in zip(rounds, asked, strict=True):
            found.append(meter.measure(question, max(1, calls // ROUNDS)))
    return [Took(*map(statistics.median, zip(*found, strict=True))) for found in rounds]
