"""A circuit breaker for each external service (pybreaker). While half-open it admits one trial."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from oidc_server.lean_imports import without
from oidc_server.observability import metrics
from oidc_server.observability.logs import get_logger
from oidc_server.settings import Settings

with without("redis"):
    import pybreaker

_TRIAL_SECONDS = 1.0
"""`retry_after` of calls that are refused while a trial runs."""

_log = get_logger(__name__)


class BreakerOpenError(Exception):
    """The service failed too often: the breaker refuses calls for `retry_after` seconds."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"{name}: the circuit breaker is open for {retry_after:.0f} more seconds")
        self.retry_after = retry_after


class Breaker:
    """Opens after `failures` in a row, half-opens after `open_seconds`, closes after `successes`.

    `answers` are exceptions that count as success: the service works, it said no. `kind` is the
    label of metrics for all services like this one. Each process has a state of its own.
    """

    def __init__(
        self,
        name: str,
        failures: int,
        open_seconds: float,
        successes: int,
        answers: Sequence[type[Exception]] = (),
        kind: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._kind = kind or name
        self._open_seconds = open_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._trial_runs = False
        self._is_retired = False
        self._opened_at = 0.0
        self._pybreaker = pybreaker.CircuitBreaker(
            fail_max=failures,
            reset_timeout=open_seconds,
            success_threshold=successes,
            exclude=answers,
            listeners=[_Watch(self._changed)],
            name=name,
            throw_new_error_on_trip=False,  # callers get the original error
        )

    @classmethod
    def of(
        cls,
        settings: Settings,
        name: str,
        answers: Sequence[type[Exception]] = (),
        kind: str | None = None,
    ) -> "Breaker":
        """A breaker with the thresholds of the settings."""
        return cls(
            name,
            settings.breaker_failures,
            settings.breaker_open.total_seconds(),
            settings.breaker_successes,
            answers,
            kind,
        )

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        return str(self._pybreaker.current_state)

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused now, for callers with a fallback."""
        if self._pybreaker.current_state == pybreaker.STATE_CLOSED:
            return False
        return self._trial_runs or self._remaining() > 0

    @property
    def is_calm(self) -> bool:
        """Whether it is closed, without a failure since the last success."""
        return self.state == pybreaker.STATE_CLOSED and not self._pybreaker.fail_counter

    def note(self, failure: Exception) -> None:
        """Count a failure of a call that was not guarded because the breaker was calm."""
        with suppress(BreakerOpenError, type(failure)), self.guard():
            raise failure

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run the block as one call to the service, or raise `BreakerOpenError`.

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

    @property
    def seconds_left(self) -> float:
        """Seconds until a call may be made; 0 if it may be made now."""
        return max(0.0, self._remaining())

    def _admit(self) -> bool:
        """Whether this call is a trial; raises `BreakerOpenError` if it may not be made."""
        state = self._pybreaker.current_state
        if state == pybreaker.STATE_CLOSED:
            return False
        if (remaining := self._remaining()) > 0:
            raise BreakerOpenError(self.name, remaining)
        if self._trial_runs:
            raise BreakerOpenError(self.name, _TRIAL_SECONDS)
        if state == pybreaker.STATE_OPEN:
            self._pybreaker.half_open()
        self._trial_runs = True
        return True

    def _remaining(self) -> float:
        """Seconds until a trial may be made."""
        if self._pybreaker.current_state != pybreaker.STATE_OPEN:
            return 0.0
        return self._opened_at + self._open_seconds - self._monotonic()

    def retire(self) -> None:
        """Take the breaker out of metrics and the log: it is not used any more.

        Calls that are still running change nothing there.
        """
        with self._lock:
            if not self._is_retired and self.state != pybreaker.STATE_CLOSED:
                metrics.breaker_changed(self._kind, self.state, pybreaker.STATE_CLOSED)
            self._is_retired = True

    def _changed(self, before: str, state: str) -> None:
        if self._is_retired:
            return
        metrics.breaker_changed(self._kind, before, state)
        if state == pybreaker.STATE_OPEN:
            self._opened_at = self._monotonic()
            _log.warning("circuit breaker opened", service=self.name, seconds=self._open_seconds)
        elif state == pybreaker.STATE_HALF_OPEN:
            _log.info("circuit breaker half-open", service=self.name)
        else:
            _log.info("circuit breaker closed", service=self.name)


class _Watch(pybreaker.CircuitBreakerListener):
    """Passes changes of state on."""

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        self._changed = changed

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        """Called by pybreaker, under the lock of the breaker."""
        del cb
        self._changed(old_state.name, new_state.name)
