"""Sends journeys to a server and says what became of them.

Open: they begin when they are due, however long earlier ones take, as people do that know nothing
of each other; the time of each counts from when it was due. Closed: so many go on at a time, which
shows what the server takes.
"""

import select
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from benchmarks.overload.connection import Answer, Connection, closes

Journey = Generator[bytes, Answer, str | None]
"""Yields requests and gets their answers; returns what was wrong, if anything was."""

MOST_CONNECTIONS = 7000
BOUND = 10.0
"""Seconds that one request may take; more is an error."""
_SHED = (429, 503)
_LONGEST_SLEEP = 0.05


@dataclass
class Tally:
    """What became of the journeys of one kind."""

    offered: int = 0
    seconds: list[float] = field(default_factory=list)
    """Of each that was served."""
    shed: Counter[int] = field(default_factory=Counter)
    shed_seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


@dataclass
class _Walk:
    """A journey on its way."""

    kind: str
    journey: Journey
    due: float
    asked_at: float = 0.0


class Sender:
    """`kinds` by name make journeys; `order` is the names in the order in which they come."""

    def __init__(
        self, port: int, kinds: Mapping[str, Callable[[], Journey]], order: list[str]
    ) -> None:
        self._port, self._kinds, self._order = port, kinds, order
        self._poll = select.epoll()
        self._idle: list[Connection] = []
        self._asking: dict[Connection, _Walk] = {}
        self._connections: dict[int, Connection] = {}
        self._asked: deque[tuple[float, Connection, _Walk]] = deque()
        self._begun = 0
        self.late = 0.0
        """Seconds by which the latest journey began after it was due: more is too much for us."""
        self.tallies = {name: Tally() for name in kinds}

    def open(self, per_second: float, seconds: float) -> None:
        """So many a second for so long, and then until the last one has ended."""
        begin = time.monotonic()
        count = round(per_second * seconds)
        while self._begun < count or self._asking:
            now = time.monotonic()
            while self._begun < count and begin + self._begun / per_second <= now:
                due = begin + self._begun / per_second
                self.late = max(self.late, now - due)
                self._begin(due)
            next_due = begin + self._begun / per_second
            is_over = self._begun >= count
            self._turn(_LONGEST_SLEEP if is_over else max(0.0, next_due - time.monotonic()))
        self._close()

    def closed(self, at_once: int, seconds: float) -> None:
        """So many at a time for so long, and then until the last one has ended."""
        end = time.monotonic() + seconds
        while (goes_on := time.monotonic() < end) or self._asking:
            while goes_on and len(self._asking) < at_once:
                self._begin(time.monotonic())
            self._turn(_LONGEST_SLEEP)
        self._close()

    def _begin(self, due: float) -> None:
        kind = self._order[self._begun % len(self._order)]
        self._begun += 1
        self.tallies[kind].offered += 1
        walk = _Walk(kind, self._kinds[kind](), due)
        try:
            request = next(walk.journey)
        except StopIteration as end:  # it could not begin
            self.tallies[kind].errors[end.value] += 1
            return
        self._ask(walk, request)

    def _turn(self, seconds: float) -> None:
        """Wait for answers, at most so long; give up what takes too long."""
        for number, event in self._poll.poll(min(seconds, _LONGEST_SLEEP)):
            if (connection := self._connections.get(number)) is not None:
                self._on_event(connection, event)
        oldest = time.monotonic() - BOUND
        while self._asked and self._asked[0][0] < oldest:
            _, connection, walk = self._asked.popleft()
            if self._asking.get(connection) is walk and walk.asked_at < oldest:
                self._fail(connection, f"no answer in {BOUND:g} s")

    def _on_event(self, connection: Connection, event: int) -> None:
        if connection not in self._asking:  # the server closed one that nobody used
            self._idle.remove(connection)
            self._drop(connection)
            return
        try:
            answer = connection.on_event(event)
        except OSError as error:
            self._fail(connection, _named(error))
            return
        if answer is not None:
            self._answered(connection, answer)

    def _ask(self, walk: _Walk, request: bytes) -> None:
        if not self._idle and len(self._asking) >= MOST_CONNECTIONS:
            self.tallies[walk.kind].errors["no connection left"] += 1
            return
        connection = self._idle.pop() if self._idle else Connection(self._port, self._poll)
        walk.asked_at = time.monotonic()
        self._asking[connection] = walk
        self._connections[connection.number] = connection
        self._asked.append((walk.asked_at, connection, walk))
        try:
            connection.send(request)
        except OSError as error:
            self._fail(connection, _named(error))

    def _answered(self, connection: Connection, answer: Answer) -> None:
        walk = self._asking.pop(connection)
        if closes(answer):
            self._drop(connection)
        else:
            self._idle.append(connection)
        tally, took = self.tallies[walk.kind], time.monotonic() - walk.due
        if answer.status in _SHED and answer.header("retry-after"):
            tally.shed[answer.status] += 1
            tally.shed_seconds.append(took)
            walk.journey.close()
            return
        try:
            request = walk.journey.send(answer)
        except StopIteration as end:
            if end.value is None:
                tally.seconds.append(took)
            else:
                tally.errors[end.value] += 1
            return
        self._ask(walk, request)

    def _fail(self, connection: Connection, reason: str) -> None:
        walk = self._asking.pop(connection)
        self._drop(connection)
        self.tallies[walk.kind].errors[reason] += 1
        walk.journey.close()

    def _drop(self, connection: Connection) -> None:
        del self._connections[connection.number]
        connection.close()

    def _close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._poll.close()


def _named(error: OSError) -> str:
    return f"{type(error).__name__}: {error}"
