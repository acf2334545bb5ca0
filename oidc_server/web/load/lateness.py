"""How long a request waited for the event loop: a measure of overload."""

import time

from starlette.types import Scope

ARRIVED_AT = "oidc_server.arrived_at"
"""Key in the ASGI scope: when the request was complete enough to start, by `time.monotonic`."""


def note_arrival(scope: Scope) -> None:
    """Note that the request is ready to start now."""
    scope[ARRIVED_AT] = time.monotonic()


def seconds_late(scope: Scope) -> float:
    """Seconds since `note_arrival`; zero if that was not called."""
    arrived_at: float | None = scope.get(ARRIVED_AT)
    return 0.0 if arrived_at is None else time.monotonic() - arrived_at
