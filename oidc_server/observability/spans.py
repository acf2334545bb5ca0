"""Spans for OpenTelemetry, sent over OTLP/HTTP: the one home of opentelemetry.

A span says what the line of the log says: names of routes and statements, never an address, a
parameter or a value.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from oidc_server import __version__
from oidc_server.observability.current import Request

_TIMEOUT = 2.0
"""Seconds that the collector may take for one batch: only the sending thread waits."""
_FAREWELL_MILLISECONDS = 2000
_NANOSECONDS = 1_000_000_000


class Spans:
    """Makes spans and hands them to a thread that sends them to the collector at `endpoint`."""

    def __init__(self, endpoint: str, ratio: float) -> None:
        self._provider = TracerProvider(
            resource=Resource.create(
                {"service.name": "oidc-server", "service.version": __version__}
            ),
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=_TIMEOUT)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("oidc_server", __version__)

    def begin(self, request: Request) -> None:
        """Begin the span of a request; its ids become those of the request."""
        span = self._tracer.start_span(request.route, _parent_of(request), kind=SpanKind.SERVER)
        ids = span.get_span_context()
        request.span = span
        request.trace_id = trace.format_trace_id(ids.trace_id)
        request.span_id = trace.format_span_id(ids.span_id)
        request.sampled = ids.trace_flags.sampled
        # The task of the request ends with it, and what was attached there.
        context.attach(trace.set_span_in_context(span))

    def end(self, request: Request, method: str, status: int) -> None:
        """End the span of a request."""
        span = request.span
        span.set_attribute("http.request.method", method)
        span.set_attribute("http.route", request.route)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("request_id", request.request_id)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def statement(self, name: str, seconds: float) -> None:
        """A statement that has just ended."""
        now = time.time_ns()
        self._tracer.start_span(
            name, kind=SpanKind.CLIENT, start_time=now - int(seconds * _NANOSECONDS)
        ).end(now)

    @contextmanager
    def call(self, name: str, host: str) -> Iterator[None]:
        """A call to an external service, which ends with the block."""
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT,
            attributes={"server.address": host},
            record_exception=False,  # its text may hold what the service said
        ):
            yield

    def flush(self) -> None:
        """Send what waits, for a moment at most."""
        self._provider.force_flush(_FAREWELL_MILLISECONDS)


def _parent_of(request: Request) -> context.Context:
    """The caller's span, or none: never that of another request."""
    if request.parent_id is None:
        return context.Context()
    flags = TraceFlags(TraceFlags.SAMPLED if request.sampled else TraceFlags.DEFAULT)
    ids = SpanContext(int(request.trace_id, 16), int(request.parent_id, 16), True, flags)
    return trace.set_span_in_context(NonRecordingSpan(ids), context.Context())
