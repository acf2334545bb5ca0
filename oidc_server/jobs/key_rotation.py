"""New signing keys, published in time for caches to see them before they sign."""

from threading import Event

from oidc_server.domain import audit, signing_keys
from oidc_server.domain.audit import Origin
from oidc_server.web.runtime import Runtime

_ORIGIN = Origin("jobs", "local", "oidc-server")


def rotate(runtime: Runtime, _stopping: Event) -> None:
    """Make a successor for every signing key that needs one."""
    now = runtime.clock()
    with runtime.database.transaction("write") as db:
        interval = runtime.settings.key_rotation_interval
        for kid in signing_keys.rotate_if_due(db, runtime.vault, now, interval):
            audit.record(db, audit.Event.KEY_ROTATED, origin=_ORIGIN, now=now, kid=kid)
