"""How late the server comes to a request: which shows how much it has to do."""

import time

from starlette.types import Scope

ARRIVED_AT = "oidc_server.arrived_at"
"""In the scope of a request: when the application could begin with it, by `time.monotonic`."""


def note_arrival(scope: Scope) -> None:
    """From now on the request waits for its turn."""
    scope[ARRIVED_AT] = time.monotonic()


def seconds_late(scope: Scope) -> float:
    """How long it has waited; zero if nobody has noted when it arrived."""
    arrived_at: float | None = scope.get(ARRIVED_AT)
    return 0.0 if arrived_at is None else time.monotonic() - arrived_at
