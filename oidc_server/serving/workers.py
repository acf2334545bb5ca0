"""Several worker processes on one address, and their parent."""

import signal
import socket
import time

import uvicorn
from uvicorn.supervisors import Multiprocess

_ENDING = (signal.SIGTERM, signal.SIGINT)
_LOOK_EVERY = 0.1


class Workers(Multiprocess):
    """uvicorn's parent, which lets go of the address as soon as the workers have drained.

    It would hold it until the last worker has ended: whoever connects while they finish what has
    begun would wait in the backlog for nobody, instead of being sent elsewhere at once.
    """

    def __init__(
        self, config: uvicorn.Config, listeners: list[socket.socket], drain_seconds: float
    ) -> None:
        super().__init__(config, sockets=listeners)
        self._drain_seconds = drain_seconds

    def keep_subprocess_alive(self) -> None:
        """Replace workers that have died, at once even if they die while they are asked.

        As long as we hold their end of the pipe too, we would wait for an answer from the dead.
        """
        for one in self.processes:
            one.child_conn.close()
        super().keep_subprocess_alive()

    def join_all(self) -> None:
        """Wait for the workers, which have been told to end."""
        self._wait_for_draining()
        for listener in self.sockets:
            listener.close()
        super().join_all()

    def _wait_for_draining(self) -> None:
        """Return when workers listen no more; a second signal is handed on to them."""
        until = time.monotonic() + self._drain_seconds
        while time.monotonic() < until and any(one.process.is_alive() for one in self.processes):
            if any(told in _ENDING for told in self.signal_queue):
                self.terminate_all()
                return
            time.sleep(_LOOK_EVERY)
