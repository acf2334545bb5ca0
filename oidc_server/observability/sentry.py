"""Tells Sentry of what broke: the one home of sentry-sdk (the extra `sentry`).

It is told what the log is told: the exception with its traceback, redacted, and which request it
was. No local variable, header, body or breadcrumb leaves.
"""

from typing import Any

import sentry_sdk

from oidc_server import __version__
from oidc_server.observability import current, redaction

_FAREWELL = 2.0


def start(dsn: str) -> None:
    """Start; called once in a process."""
    sentry_sdk.init(
        dsn=dsn,
        release=f"oidc-server@{__version__}",
        default_integrations=False,
        auto_enabling_integrations=False,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        before_send=_redacted,
        shutdown_timeout=_FAREWELL,
    )


def tell(error: BaseException) -> None:
    """Report an exception with the current request, in the background."""
    with sentry_sdk.new_scope() as scope:
        for name, value in current.facts().items():
            scope.set_tag(name, value)
        if (request := current.request()) is not None:
            scope.set_tag("route", request.route)
        scope.capture_exception(error)


def flush() -> None:
    """Send what waits, for two seconds at most."""
    sentry_sdk.flush(_FAREWELL)


def _redacted(event: Any, _hint: object) -> Any:
    """An event with all its text redacted as in the log."""
    for name in ("request", "user", "extra", "breadcrumbs", "modules", "server_name"):
        event.pop(name, None)
    return _clean("", event)


def _clean(name: str, value: Any) -> Any:
    """`value` in its shape: an event has names of its own, such as `exception`, that stay."""
    if isinstance(value, dict):
        return {key: _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(name, item) for item in value]
    return redaction.clean_text(value) if isinstance(value, str) else value
