"""Structured logs (structlog): one line for each event, to stderr, through one renderer.

The lines of libraries, which use the standard library's `logging`, take the same way. Everything
passes `redaction` last, when it is already what would be written.
"""

import json
import logging
import sys
from collections.abc import Mapping
from contextvars import Token
from typing import Any, TextIO, cast

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from oidc_server.clock import utc_now
from oidc_server.observability import redaction

Logger = structlog.stdlib.BoundLogger

_OURS = "oidc_server"
_FIELDS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
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


def bind(**fields: object) -> Mapping[str, Token[Any]]:
    """Add fields, such as `request_id`, to every line of this context, until `unbind`."""
    return structlog.contextvars.bind_contextvars(**fields)


def unbind(tokens: Mapping[str, Token[Any]]) -> None:
    """Restore what was bound before."""
    structlog.contextvars.reset_contextvars(**tokens)


def configure(level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Send everything to `stream` (stderr): `json`, `console`, or `auto`: console on a terminal.

    `level` is that of our own lines; libraries say nothing below INFO, and SQLAlchemy nothing
    below WARNING, because there it would print the values of statements.
    """
    target = stream or sys.stderr
    own_level = logging.getLevelNamesMapping()[level.upper()]
    handler = _Handler(target)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_FIELDS,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                _add_time,
                structlog.processors.format_exc_info,
                _redact,
                _renderer(log_format, is_terminal=target.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(own_level, logging.INFO))
    logging.getLogger(_OURS).setLevel(own_level)
    logging.getLogger("sqlalchemy").setLevel(max(own_level, logging.WARNING))
    logging.getLogger("alembic").setLevel(max(own_level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    # Its lines hold whole addresses, and some of ours open doors.
    logging.getLogger("uvicorn.access").disabled = True


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that configuring again replaces it and leaves those of others alone."""


def _renderer(log_format: str, *, is_terminal: bool) -> Processor:
    if log_format == "console" or (log_format == "auto" and is_terminal):
        return structlog.dev.ConsoleRenderer(
            colors=is_terminal, exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer(serializer=json.dumps)


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["timestamp"] = utc_now().isoformat(timespec="milliseconds")
    return event


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    exception = event.pop("exception", None)
    shown = {redaction.clean_text(key): redaction.clean(key, event[key]) for key in event}
    if exception is not None:
        shown["exception"] = redaction.clean_text(str(exception), multiline=True)
    return shown
