"""A circuit breaker for each neighbour (pybreaker), whose gate lets in one trial at a time."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pybreaker

from oidc_server.clock import utc_now

_TRIAL_SECONDS = 1.0
"""When to ask again while somebody else's trial runs."""


class BreakerOpenError(Exception):
    """The neighbour failed too often and is left alone; ask again in `retry_after` seconds."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"{name} failed and is left alone for {retry_after:.0f} more seconds")
        self.retry_after = retry_after


class Breaker:
    """Opens after `failures` in a row, tries again after `open_seconds`, closes after `successes`.

    `answers` are the exceptions by which the neighbour shows that it works: it said no. Each
    process has a state of its own.
    """

    def __init__(
        self,
        name: str,
        failures: int,
        open_seconds: float,
        successes: int,
        answers: Sequence[type[Exception]] = (),
    ) -> None:
        self.name = name
        self._open_for = timedelta(seconds=open_seconds)
        self._lock = threading.Lock()
        self._trial_runs = False
        self._storage = pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)
        self._pybreaker = pybreaker.CircuitBreaker(
            fail_max=failures,
            reset_timeout=open_seconds,
            success_threshold=successes,
            exclude=answers,
            state_storage=self._storage,
            name=name,
            throw_new_error_on_trip=False,  # the caller sees what happened, not what follows
        )

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run the block as one call to the neighbour, or raise BreakerOpenError instead.

        The lock is held while the state changes, not during the call: pybreaker's own `call()`
        would let one call run at a time, and its `calling()` all trials at once.
        """
        call = self._pybreaker.calling()
        with self._lock:
            is_trial = self._admit()
            call.__enter__()
        try:
            yield
        except BaseException as error:
            with self._lock:
                call.__exit__(type(error), error, error.__traceback__)
            raise
        else:
            with self._lock:
                call.__exit__(None, None, None)
        finally:
            if is_trial:
                self._trial_runs = False

    def _admit(self) -> bool:
        """Whether this call is a trial after failures; BreakerOpenError if it is too early."""
        if self._storage.state == pybreaker.STATE_CLOSED:
            return False
        opened_at = self._storage.opened_at
        if self._storage.state == pybreaker.STATE_OPEN and opened_at is not None:
            remaining = (opened_at + self._open_for - utc_now()).total_seconds()
            if remaining > 0:
                raise BreakerOpenError(self.name, remaining)
        if self._trial_runs:
            raise BreakerOpenError(self.name, _TRIAL_SECONDS)
        self._trial_runs = True
        return True
