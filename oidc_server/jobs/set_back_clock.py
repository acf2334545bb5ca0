"""Makes rows of the outbox due that wait for a time from before the clock was set back."""

from threading import Event

from oidc_server.domain import outbox
from oidc_server.observability.logs import get_logger
from oidc_server.web.runtime import Runtime

_log = get_logger(__name__)


def hasten(runtime: Runtime, _stopping: Event) -> None:
    """Make due what was put into the outbox in what is the future now."""
    with runtime.database.transaction("write") as db:
        hastened = outbox.hasten(db, runtime.clock())
    if hastened:
        _log.warning("the clock was set back: what waited for it is sent", rows=hastened)
