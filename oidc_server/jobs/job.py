"""What a job is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

from oidc_server.web.runtime import Runtime

Work = Callable[[Runtime, Event], None]
"""Does what is due and returns; early when the event is set, since the server stops."""


@dataclass(frozen=True)
class Job:
    """`work`, done `every` so often (zero: each second), by one node or, if so marked, by each."""

    name: str
    work: Work
    every: timedelta
    on_every_node: bool = False
    own_thread: bool = False
    """Whether it waits for external services, so that it would delay other jobs."""
