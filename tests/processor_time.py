"""What a call takes of a processor, whatever else the machine does meanwhile."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if this thread was on a processor for that long; waiting for one does not count.

    Nor does the garbage of the tests before, which is not collected meanwhile.
    """
    gc.disable()
    try:
        began = time.thread_time()
        yield
        taken = time.thread_time() - began
    finally:
        gc.enable()
    assert taken < seconds, f"it took {taken:.3f} seconds of a processor"
