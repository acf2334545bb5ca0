"""Where durations of database statements go: log, metrics and traces."""

import logging
from functools import partial

from oidc_server.database import Watch
from oidc_server.observability import logs, metrics, tracing
from oidc_server.settings import Settings


def watch_for(settings: Settings) -> Watch:
    """The `Watch` of a `Database`: of slow statements, or of all of them when tracing."""
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
