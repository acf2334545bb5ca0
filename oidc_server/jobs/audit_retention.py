"""Deletes events of the audit log whose time is over."""

from functools import partial
from threading import Event

from oidc_server.domain import audit_trail
from oidc_server.jobs import retention
from oidc_server.web.runtime import Runtime


def sweep(runtime: Runtime, stopping: Event) -> None:
    """Delete, until all that is left is to be kept."""
    kept = runtime.settings.audit_retention
    retention.sweep(runtime, stopping, (partial(audit_trail.prune, retention=kept),))
