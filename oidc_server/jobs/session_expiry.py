"""Ends sessions whose time is over, so that clients hear of those too."""

from threading import Event

from oidc_server.domain import endings
from oidc_server.jobs.batches import work_off
from oidc_server.web.runtime import Runtime

_BATCH = 50


def end_expired(runtime: Runtime, stopping: Event) -> None:
    """End them, until none is left."""
    work_off(runtime, stopping, endings.end_expired_sessions, _BATCH)
