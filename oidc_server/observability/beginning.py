"""Starts logging, tracing and error reporting in a process, and flushes them at its end."""

import atexit
import logging
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from oidc_server.observability import logs, tracing
from oidc_server.observability.files import RotatingFile
from oidc_server.observability.logs import Kept
from oidc_server.observability.shipping import Shipping
from oidc_server.settings import Settings

# By their own names: nobody publishes `oidc-server`, so pip would fetch a stranger's of that name.
OTEL_PACKAGES = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
SENTRY_PACKAGES = "sentry-sdk"
_MEGABYTE = 1024 * 1024
_waiting: list[Callable[[], None]] = []
"""What has to be flushed when the process ends; the log comes last, since the others log."""


def problems(settings: Settings) -> list[str]:
    """Settings that need a package which is not installed, each with its fix."""
    needed = (
        (settings.otlp_endpoint, "opentelemetry", "OIDC_OTLP_ENDPOINT", OTEL_PACKAGES),
        (settings.sentry_dsn, "sentry_sdk", "OIDC_SENTRY_DSN", SENTRY_PACKAGES),
    )
    found = [
        f"{name} needs more packages: {sys.executable} -m pip install {packages}, or leave it out"
        for value, module, name, packages in needed
        if value is not None and find_spec(module) is None
    ]
    if settings.log_directory is not None:
        try:
            settings.log_directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            for kept in _files(settings):
                kept.sink.close()
        except OSError as error:
            found.append(f"OIDC_LOG_DIRECTORY: {settings.log_directory}: {error.strerror}")
    return found


def begin_quietly(settings: Settings) -> None:
    """Start logging without any thread: for a process that will fork."""
    logs.configure(settings.log_level, settings.log_format, kept=_files(settings))


def begin(settings: Settings) -> None:
    """Start everything, until the process ends; called once in each process."""
    kept = _files(settings)
    if (collector := settings.log_collector) is not None:
        kept.append(Kept(Shipping(collector.host, collector.port)))
    told = _begin_sentry(settings)
    if settings.otlp_endpoint is not None:
        spans: Any = import_module("oidc_server.observability.spans")
        tracer = spans.Spans(settings.otlp_endpoint, settings.trace_ratio)
        tracing.use(tracer)
        _waiting.append(tracer.flush)
    logs.configure(settings.log_level, settings.log_format, kept=kept, on_failure=told)
    _waiting.append(logs.flush)
    atexit.register(_end)


def _files(settings: Settings) -> list[Kept]:
    folder = settings.log_directory
    if folder is None:
        return []
    size, count = settings.log_file_size * _MEGABYTE, settings.log_files
    return [
        Kept(RotatingFile(folder / "app.log", size, count)),
        Kept(RotatingFile(folder / "error.log", size, count), logging.ERROR),
    ]


def _begin_sentry(settings: Settings) -> Callable[[BaseException], None] | None:
    if settings.sentry_dsn is None:
        return None
    sentry: Any = import_module("oidc_server.observability.sentry")
    sentry.start(settings.sentry_dsn.get_secret_value())
    _waiting.append(sentry.flush)
    tell: Callable[[BaseException], None] = sentry.tell
    return tell


def flush() -> None:
    """Flush everything, waiting for a moment at most."""
    for work in _waiting:
        work()


def _end() -> None:
    flush()
    logs.close()
