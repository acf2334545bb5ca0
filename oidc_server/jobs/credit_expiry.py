"""Gives back reserved credit whose time is over."""

from threading import Event

from oidc_server.domain import ledger
from oidc_server.jobs.batches import work_off
from oidc_server.web.runtime import Runtime

_BATCH = 50


def release_expired(runtime: Runtime, stopping: Event) -> None:
    """Release it, until nothing is due."""
    work_off(runtime, stopping, ledger.release_expired, _BATCH)
