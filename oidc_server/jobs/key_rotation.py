"""New signing keys, published in time for caches to see them before they sign."""

from threading import Event

from oidc_server.domain import audit, signing_keys
from oidc_server.web.runtime import Runtime


def rotate(runtime: Runtime, _stopping: Event) -> None:
    """Make a successor for every key that needs one; delete private halves that none needs."""
    interval = runtime.settings.key_rotation_interval
    with runtime.database.transaction("read") as db:
        due = signing_keys.due(db, runtime.clock(), interval)
    fresh = signing_keys.generate(due)  # while others may write
    with runtime.database.transaction("write") as db:
        now = runtime.clock()
        for kid in signing_keys.rotate_if_due(db, runtime.vault, fresh, now, interval):
            audit.record(db, audit.Event.KEY_ROTATED, origin=audit.JOBS, now=now, kid=kid)
        signing_keys.forget_private(db, now)
