"""A sender in a process of its own, so that the one that prints does not slow it down."""

import gc
import multiprocessing
import random
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Literal, NamedTuple

from benchmarks.overload.kinds import SIGN_IN, World, kinds
from benchmarks.overload.sender import Sender, Tally

_SEED = 1
_PATIENCE = 60.0


class Work(NamedTuple):
    """`amount` is how many a second if open, how many at once if closed."""

    way: Literal["open", "closed"]
    mix: Mapping[str, float]
    amount: float
    seconds: float


class Sent(NamedTuple):
    """What became of everything by kind, how long it took, and how late the sender was."""

    tallies: dict[str, Tally]
    seconds: float
    late: float

    @property
    def served(self) -> int:
        return sum(len(one.seconds) for one in self.tallies.values())

    @property
    def errors(self) -> int:
        return sum(one.errors.total() for one in self.tallies.values())

    def p99(self) -> float:
        """Of all that was served, except sign-ins with a password."""
        found = [one for name, tally in self.tallies.items() if name != SIGN_IN
                 for one in tally.seconds]  # fmt: skip
        return percentile(found, 99)


def percentile(values: list[float], percent: int) -> float:
    """Zero of nothing."""
    if len(values) < 2:
        return max(values, default=0.0)
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


class SenderProcess:
    """The other end of it. Tokens that were rotated are remembered from one work to the next."""

    def __init__(self, end: Connection) -> None:
        self._end = end

    def open(self, mix: Mapping[str, float], per_second: float, seconds: float) -> Sent:
        return self._send(Work("open", mix, per_second, seconds))

    def closed(self, mix: Mapping[str, float], at_once: int, seconds: float) -> Sent:
        return self._send(Work("closed", mix, at_once, seconds))

    def _send(self, work: Work) -> Sent:
        self._end.send(work)
        if not self._end.poll(work.seconds + _PATIENCE):
            raise RuntimeError("the sender does not come back")
        sent: Sent = self._end.recv()
        return sent


@contextmanager
def sending(world: World) -> Iterator[SenderProcess]:
    """Start a sender, and end it afterwards."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, world), daemon=True)
    process.start()
    theirs.close()
    try:
        yield SenderProcess(ours)
    finally:
        ours.close()
        process.terminate()
        process.join(_PATIENCE)


def _serve(end: Connection, world: World) -> None:
    makers = kinds(world)
    chance = random.Random(_SEED)  # noqa: S311 - no secret
    gc.disable()  # a pause would be taken for one of the server
    while True:
        try:
            work: Work = end.recv()
        except EOFError:
            return
        names = list(work.mix)
        order = chance.choices(names, [work.mix[name] for name in names], k=10_000)
        sender = Sender(world.port, {name: makers[name] for name in names}, order)
        begun = time.monotonic()
        if work.way == "open":
            sender.open(work.amount, work.seconds)
        else:
            sender.closed(round(work.amount), work.seconds)
        end.send(Sent(sender.tallies, time.monotonic() - begun, sender.late))
        gc.collect()
