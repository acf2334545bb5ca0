"""When a request arrived: noted below the application, asked when its turn has come."""

import time
from typing import Any

_STATE, _ARRIVED = "state", "arrived"


def note(scope: Any) -> None:
    """From now on the request waits for its turn."""
    scope[_STATE][_ARRIVED] = time.monotonic()


def seconds_ago(scope: Any) -> float:
    """How long it has waited; zero if nobody has noted it."""
    arrived: float | None = scope.get(_STATE, {}).get(_ARRIVED)
    return 0.0 if arrived is None else time.monotonic() - arrived
