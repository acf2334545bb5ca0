"""What one process holds while it answers very many requests of every kind."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.operations import Operation, operations
from benchmarks.process import Server
from benchmarks.stage import Stage

IDLE_GOAL = 110
GOAL = 160
"""Megabytes."""
STEADY = 0.5
"""Megabytes that each sample of the second half may add."""
_SAMPLES = 10
_CLIENTS = 4
_IN_A_HUNDRED = {
    "discovery": 5,
    "JWKS": 5,
    "client_credentials": 19,
    "refresh": 20,
    "userinfo": 20,
    "introspection": 20,
    "sign-in with a live session (authorize and token)": 10,
    "sign-in with the password (Argon2id)": 1,
}


def samples(server: Server, stage: Stage, count: int) -> Iterator[tuple[int, float]]:
    """How many requests of the mix were answered, and the megabytes that the server then has."""
    mixes = [_mix(operations(server, stage)) for _ in range(_CLIENTS)]
    with ThreadPoolExecutor(_CLIENTS) as threads:
        for number in range(1, _SAMPLES + 1):
            each = count // _SAMPLES // _CLIENTS
            for done in [threads.submit(_ask, mix, each) for mix in mixes]:
                done.result()
            yield number * each * _CLIENTS, server.resident_megabytes()


def growth(megabytes: list[float]) -> float:
    """What each sample of the second half adds: the slope of the line that fits them best."""
    later = megabytes[len(megabytes) // 2 :]
    middle = (len(later) - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(len(later)))
    return sum((place - middle) * one for place, one in enumerate(later)) / spread


def _mix(known: dict[str, Operation]) -> Iterator[Callable[[], None]]:
    """The operations, each as often as it is due, and evenly spread."""
    due = [
        (turn / times, known[name])
        for name, times in _IN_A_HUNDRED.items()
        for turn in range(times)
    ]
    return itertools.cycle(operation for _, operation in sorted(due, key=lambda one: one[0]))


def _ask(mix: Iterator[Callable[[], None]], count: int) -> None:
    for operation in itertools.islice(mix, count):
        operation()
