"""The metrics of `serve` for Prometheus: those of all workers, and levels of the database."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from oidc_server.clock import utc_now
from oidc_server.database import ConflictError, Database, DatabaseUnavailableError
from oidc_server.domain import outbox, user_sessions
from oidc_server.observability.exposition import Level, Listener, WorkerFiles
from oidc_server.settings import Settings, SettingsError

_KEPT = 5.0
"""Seconds for which levels of the database are cached."""

_SESSIONS = "oidc_active_sessions"
_OUTBOX = "oidc_outbox_pending"
_DATABASE = "oidc_database_up"
_MEANING = {
    _SESSIONS: f"Sessions of browsers that hold; it counts up to {user_sessions.MOST_COUNTED}.",
    _OUTBOX: f"Mails and logouts not delivered yet; it counts up to {outbox.MOST_COUNTED}.",
    _DATABASE: "Whether the database answered when it was asked.",
}


class DatabaseLevels:
    """Levels such as the number of sessions, read on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._asked_at: float | None = None
        self._found: list[Level] = []

    def __call__(self) -> list[Level]:
        """The levels, at most seconds old; whether the database answers is one of them."""
        now = time.monotonic()
        if self._asked_at is None or now >= self._asked_at + _KEPT:
            try:
                self._found = [_level(_DATABASE, 1), *self._ask()]
            except (DatabaseUnavailableError, ConflictError):
                self._found = [_level(_DATABASE, 0)]
            self._asked_at = now
        return self._found

    def _ask(self) -> Iterator[Level]:
        with self._database.transaction("read") as db:
            yield _level(_SESSIONS, user_sessions.live_count(db, utc_now()))
            for queue, count in outbox.pending_by_queue(db).items():
                yield _level(_OUTBOX, count, queue=queue.value)


def _level(name: str, value: float, **labels: str) -> Level:
    return Level(name, _MEANING[name], labels, value)


@contextmanager
def shown_metrics(settings: Settings, workers: int) -> Iterator[None]:
    """Listen for Prometheus while the block runs, if that is set; entered before workers start."""
    endpoint = settings.metrics_endpoint
    if endpoint is None:
        yield
        return
    files = WorkerFiles() if workers > 1 else None
    levels = DatabaseLevels(settings.database_url)
    with ExitStack() as stack:
        if files is not None:
            stack.callback(files.remove)
        try:
            listener = Listener(endpoint.host, endpoint.port, levels, files)
        except OSError as error:
            problem = f"{settings.metrics_address} cannot be listened on ({error.strerror})"
            raise SettingsError([f"OIDC_METRICS_ADDRESS: {problem}"]) from None
        stack.callback(listener.close)
        yield
