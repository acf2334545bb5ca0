"""The loops that run the jobs: a few threads, started and stopped with the server."""

import os
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread

from oidc_server.database import ConflictError, DatabaseUnavailableError
from oidc_server.domain import leases
from oidc_server.jobs import (
    account_deletion,
    audit_retention,
    credit_expiry,
    key_rotation,
    logout_delivery,
    mail_delivery,
    retention,
    session_expiry,
    set_back_clock,
)
from oidc_server.jobs.job import Job
from oidc_server.jobs.node_lock import NodeLock
from oidc_server.observability import metrics
from oidc_server.observability.logs import get_logger
from oidc_server.web.runtime import Runtime

JOBS = (
    # Each row of the outbox is leased by itself, so all nodes may deliver at once.
    Job(
        "mail delivery",
        mail_delivery.deliver,
        every=timedelta(),
        on_every_node=True,
        own_thread=True,
    ),
    Job(
        "logout delivery",
        logout_delivery.deliver,
        every=timedelta(),
        on_every_node=True,
        own_thread=True,
    ),
    Job("set back clock", set_back_clock.hasten, every=timedelta(minutes=1)),
    Job("credit expiry", credit_expiry.release_expired, every=timedelta(seconds=10)),
    Job("session expiry", session_expiry.end_expired, every=timedelta(minutes=1)),
    Job("account deletion", account_deletion.delete_due, every=timedelta(minutes=1)),
    Job("retention", retention.sweep, every=timedelta(minutes=10)),
    Job("audit retention", audit_retention.sweep, every=timedelta(hours=1)),
    Job("key rotation", key_rotation.rotate, every=timedelta(hours=1)),
)

_ROUND_EVERY = 1.0
"""Seconds between two rounds, and so the longest delay of a mail or a logout."""
_LONGEST_REST = 60
"""Rounds that a job pauses at most after repeated failures."""
_LOOK_AGAIN = timedelta(minutes=1)
"""How soon to check again whether another node still runs a job."""
_FAREWELL = 5.0

_log = get_logger(__name__)


@dataclass
class _Turn:
    """When a job is due: by the clock, but after a failure by a number of rounds."""

    job: Job
    began_at: datetime | None = None
    pause: timedelta = timedelta()
    failures: int = 0
    rest: int = 0

    def has_come(self, now: datetime) -> bool:
        """Also when the clock was set back to before the last turn."""
        if self.rest:
            self.rest -= 1
            return False
        began_at = self.began_at
        return (
            bool(self.failures) or began_at is None or not began_at <= now < began_at + self.pause
        )


class Jobs:
    """Runs the jobs in threads beside the server. Their errors are logged."""

    def __init__(self, jobs: tuple[Job, ...] = JOBS) -> None:
        self._turns = [_Turn(job) for job in jobs]
        self._holder = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._stopping = Event()
        self._threads: list[Thread] = []

    def start(self, runtime: Runtime) -> None:
        """Start; called once, when the server starts."""
        lock = NodeLock(runtime.settings.data_dir / "jobs.lock")
        own = [[turn] for turn in self._turns if turn.job.own_thread]
        shared = [turn for turn in self._turns if not turn.job.own_thread]
        # Daemons, so that a call to a slow external service does not keep the process from ending.
        self._threads = [
            Thread(target=self._loop, args=(runtime, lock, turns), name="jobs", daemon=True)
            for turns in (*own, shared)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop; returns when running jobs have ended, or after a few seconds."""
        self._stopping.set()
        until = time.monotonic() + _FAREWELL
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _loop(self, runtime: Runtime, lock: NodeLock, turns: list[_Turn]) -> None:
        with lock.used():
            while not self._stopping.is_set():
                if lock.acquire():
                    self._run(turns, runtime)
                self._stopping.wait(_ROUND_EVERY)

    def run_due(self, runtime: Runtime) -> None:
        """Run every job whose turn has come, once."""
        self._run(self._turns, runtime)

    def _run(self, turns: list[_Turn], runtime: Runtime) -> None:
        for turn in turns:
            now = runtime.clock()
            if turn.has_come(now) and not self._stopping.is_set():
                turn.began_at = now
                self._take(turn, runtime, now)

    def _take(self, turn: _Turn, runtime: Runtime, now: datetime) -> None:
        job = turn.job
        try:
            is_ours = job.on_every_node or self._is_ours(job, runtime, now)
            if is_ours:
                job.work(runtime, self._stopping)
                metrics.JOB_RUNS.labels(job.name, "done").inc()
            turn.pause = job.every if is_ours else min(job.every, _LOOK_AGAIN)
            turn.failures = 0
        except Exception as error:  # noqa: BLE001 - the loop outlives every job
            turn.failures += 1
            turn.rest = min(2 ** min(turn.failures, 10), _LONGEST_REST)
            _report(job, error, turn.failures)

    def _is_ours(self, job: Job, runtime: Runtime, now: datetime) -> bool:
        """Whether this node takes the lease of the job. It lasts until the job is due again."""
        with runtime.database.transaction("write") as db:
            return leases.acquire(db, f"job: {job.name}", self._holder, now, job.every)


def _report(job: Job, error: Exception, failures: int) -> None:
    metrics.JOB_RUNS.labels(job.name, "failed").inc()
    if isinstance(error, DatabaseUnavailableError | ConflictError):
        _log.warning("job could not run", job=job.name, failures=failures, reason=str(error))
    else:
        _log.error("job failed", job=job.name, failures=failures, exc_info=error)
