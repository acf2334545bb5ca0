"""Structured logs (structlog): one line for each event, redacted, then written wherever it is kept.

The lines of libraries, which use the standard library's `logging`, take the same way. Everything
passes `redaction` last, when it is already what would be written. What is told of every single
request takes a shorter way, `write_clean`: its fields hold nothing from outside.
"""

import json
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TextIO, cast

import orjson

from oidc_server.clock import utc_now
from oidc_server.lean_imports import without
from oidc_server.observability import current, redaction

with without("rich"), without("greenlet"):
    import structlog
    from structlog.stdlib import ProcessorFormatter
    from structlog.types import EventDict, Processor, WrappedLogger

Logger = structlog.stdlib.BoundLogger

_OURS = "oidc_server"
_TALKATIVE = ("sqlalchemy", "alembic", "opentelemetry", "httpx2", "httpcore2")
"""Libraries whose debug lines hold values of statements, or whole addresses."""


class Sink(Protocol):
    """A further destination of log lines: gets JSON, without the end of the line."""

    def write(self, line: bytes, /) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Kept:
    """A sink and its minimum level."""

    sink: Sink
    level: int = logging.DEBUG


def _add_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.update(current.facts())
    return event


_FIELDS: tuple[Processor, ...] = (
    _add_request,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
)


def get_logger(name: str) -> Logger:
    """The logger of a module: `get_logger(__name__)`. Facts are fields, not parts of the event."""
    logger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_FIELDS,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=Logger,
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return cast(Logger, logger)


def configure(
    level: str,
    log_format: str,
    stream: TextIO | None = None,
    kept: Sequence[Kept] = (),
    on_failure: Callable[[BaseException], None] | None = None,
) -> None:
    """Send everything to `stream` (stderr) and, as JSON, to the sinks that `kept` names.

    `log_format` is that of the stream: `json`, `console`, or `auto`: console on a terminal. `level`
    is that of our own lines; libraries say nothing below INFO, and some nothing below WARNING.
    `on_failure` is given what was raised where a line tells of something that broke.
    """
    global _output
    target = stream or sys.stderr
    own_level = logging.getLevelNamesMapping()[level.upper()]
    previous, _output = _output, _Output(target, log_format, own_level, kept)
    handler = _Handler(_output, on_failure)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(own_level, logging.INFO))
    logging.getLogger(_OURS).setLevel(own_level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(own_level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    # Its lines hold whole addresses, and some of ours open doors.
    logging.getLogger("uvicorn.access").disabled = True
    if previous is not None:
        previous.close()


def write_clean(level: int, logger: str, event: str, fields: dict[str, Any]) -> None:
    """A line whose fields are ours alone: numbers, names of routes, ids that were looked up.

    It is spared what only the words of others need, and so costs a fifth.
    """
    output = _output
    if output is None or level < output.level:
        return
    line = {"event": event, **fields, **current.facts()}
    line["logger"], line["level"] = logger, _NAMES[level]
    try:
        output.write(level, _add_time(None, "", line))
    except (OSError, ValueError):
        return  # the stream is closed or full


def flush() -> None:
    """Wait until the sinks have written what they hold, for a moment at most."""
    output = _output
    if output is not None:
        output.flush()


def close() -> None:
    """Let the sinks write what they hold; what comes later goes to the stream alone."""
    output = _output
    if output is not None:
        output.close()


class _Output:
    """The destinations of this process."""

    def __init__(self, stream: TextIO, log_format: str, level: int, kept: Sequence[Kept]) -> None:
        self.level = level
        self._stream = stream
        self._kept = kept
        self._guard = threading.Lock()
        self._console = _console(stream) if _is_console(stream, log_format) else None

    def write(self, level: int, event: EventDict) -> None:
        line = _encode(event) if self._kept or self._console is None else b""
        for kept in self._kept:
            if level >= kept.level:
                kept.sink.write(line)
        text = line.decode() if self._console is None else self._console(None, "", dict(event))
        with self._guard:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def flush(self) -> None:
        for one in self._kept:
            one.sink.flush()

    def close(self) -> None:
        kept, self._kept = self._kept, ()
        for one in kept:
            one.sink.close()


_output: _Output | None = None
_NAMES = {level: logging.getLevelName(level).lower() for level in (10, 20, 30, 40, 50)}


class _Handler(logging.Handler):
    """Ours, so that configuring again replaces it and leaves those of others alone."""

    def __init__(self, output: _Output, on_failure: Callable[[BaseException], None] | None) -> None:
        super().__init__()
        self._output = output
        self._on_failure = on_failure
        self.setFormatter(
            ProcessorFormatter(
                foreign_pre_chain=_FIELDS,
                processors=[
                    _keep_level,
                    ProcessorFormatter.remove_processors_meta,
                    _add_time,
                    structlog.processors.format_exc_info,
                    _redact,
                    self._write,
                ],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.format(record)
        except Exception:  # noqa: BLE001 - what a log cannot do must not end what it tells of
            self.handleError(record)
        if self._on_failure is not None and record.levelno >= logging.ERROR:
            raised = _raised(record)
            if raised is not None:
                self._on_failure(raised)

    def _write(self, _logger: WrappedLogger, _method: str, event: EventDict) -> str:
        self._output.write(event.pop("_level"), event)
        return ""


def _raised(record: logging.LogRecord) -> BaseException | None:
    """What a line tells of: in our own lines it is a field, in those of libraries it is beside."""
    told: Any = record.msg.get("exc_info") if isinstance(record.msg, dict) else record.exc_info
    if told is True:
        return sys.exc_info()[1]
    if isinstance(told, tuple):
        told = told[1]
    return told if isinstance(told, BaseException) else None


def _is_console(stream: TextIO, log_format: str) -> bool:
    return log_format == "console" or (log_format == "auto" and stream.isatty())


def _console(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _encode(event: EventDict) -> bytes:
    try:
        return orjson.dumps(event)
    except TypeError:  # a number that is longer than theirs
        return json.dumps(event).encode()


def _keep_level(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["_level"] = event["_record"].levelno
    return event


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["timestamp"] = utc_now().isoformat(timespec="milliseconds")
    return event


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    exception = event.pop("exception", None)
    shown = {redaction.clean_text(key): redaction.clean(key, event[key]) for key in event}
    if exception is not None:
        shown["exception"] = redaction.clean_text(str(exception), multiline=True)
    return shown
