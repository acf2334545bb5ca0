"""Spans of requests, statements and calls to others; nothing unless OpenTelemetry is configured.

`spans.py` makes them, and is loaded only then: it needs the packages of the extra `otel`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from oidc_server.observability.current import Request


class Tracer(Protocol):
    """What makes spans."""

    def begin(self, request: Request) -> None: ...

    def end(self, request: Request, method: str, status: int) -> None: ...

    def statement(self, name: str, seconds: float) -> None: ...

    @contextmanager
    def call(self, name: str, host: str) -> Iterator[None]: ...

    def flush(self) -> None: ...


_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Make spans with `tracer` from now on, or none."""
    global _tracer  # noqa: PLW0603 - one for the process, as the log is
    _tracer = tracer


def tracer() -> Tracer | None:
    """What makes spans in this process, if anything does."""
    return _tracer


@contextmanager
def call(name: str, host: str) -> Iterator[None]:
    """A span around a call to an external service: `http`, `mail`."""
    if _tracer is None:
        yield
        return
    with _tracer.call(name, host):
        yield
