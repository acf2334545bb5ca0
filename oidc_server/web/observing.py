"""What is recorded of every request: ids in the response, a line in the log, metrics."""

import logging
import time

from starlette.types import Receive, Scope, Send

from oidc_server.observability import current, logs, metrics, tracing
from oidc_server.observability.current import Request
from oidc_server.web.responses import Header, Response

STATIC = "static"
"""The route name of all static files."""
UNKNOWN = "unknown"
"""The route name of requests without a route."""
BROKEN_OFF = 499
"""The status that is logged when the client disconnects, as proxies do."""

_QUIET = frozenset({STATIC, "health.health", "health.live", "health.ready", "health.startup"})
"""Routes whose requests are logged only when they fail."""


def begin(scope: Scope, route: str) -> Request:
    """Make this the current request."""
    request = current.begin(scope["headers"], route)
    if (tracer := tracing.tracer()) is not None:
        tracer.begin(request)
    return request


def headers(request: Request) -> tuple[Header, ...]:
    """The headers with the request id and the trace."""
    named = (b"x-request-id", request.request_id.encode("ascii"))
    if request.parent_id is None:
        return (named,)
    return named, (b"traceparent", request.traceparent.encode("ascii"))


def end(
    request: Request, method: str, status: int, slow_after: float, error: str | None = None
) -> None:
    """Count and log the request: names and ids, never an address or a parameter.

    `error` is that of `Response.refusing`.
    """
    seconds = time.perf_counter() - request.began
    metrics.request_answered(request.route, method, status, seconds)
    if (tracer := tracing.tracer()) is not None:
        tracer.end(request, method, status)
    fields = {
        "method": method if method in metrics.METHODS else "other",
        "route": request.route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
    }
    if error is not None:
        fields["error"] = error
    if request.client_id is not None:
        fields["client_id"] = request.client_id
    if request.user_id is not None:
        fields["user_id"] = request.user_id
    if seconds >= slow_after:
        logs.write_clean(logging.WARNING, __name__, "slow request", fields)
        return
    quiet = request.route in _QUIET and status < 500
    logs.write_clean(logging.DEBUG if quiet else logging.INFO, __name__, "request", fields)


async def send_static(
    answer: Response, scope: Scope, receive: Receive, send: Send, slow_after: float
) -> None:
    """Send a static file, which has no handler, and record it like other requests."""
    request = begin(scope, STATIC)
    try:
        await answer.carrying(headers(request))(scope, receive, send)
    finally:
        end(request, scope["method"], answer.status, slow_after)
