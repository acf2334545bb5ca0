"""Waiting for what other processes and threads do, on a machine that does other things too."""

import time
from collections.abc import Callable


def wait_for(is_so: Callable[[], object], seconds: float = 60) -> None:
    """Return once it is so; fail if that takes longer."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
