"""Who is told how long statements of the database take: the log, what is counted, and traces."""

import logging
from functools import partial

from oidc_server.database import Watch
from oidc_server.observability import logs, metrics, tracing
from oidc_server.settings import Settings


def watch_for(settings: Settings) -> Watch:
    """What a `Database` needs to tell: only slow statements, unless all are parts of traces."""
    slow_after = settings.log_slow_after.total_seconds()
    above = 0.0 if settings.otlp_endpoint is not None else slow_after
    return Watch(above, partial(_tell, slow_after))


def _tell(slow_after: float, statement: str, seconds: float) -> None:
    if (tracer := tracing.tracer()) is not None:
        tracer.statement(statement, seconds)
    if seconds >= slow_after:
        metrics.SLOW_STATEMENTS.inc()
        fields = {"statement": statement, "duration_ms": round(seconds * 1000, 3)}
        logs.write_clean(logging.WARNING, __name__, "slow statement", fields)
