"""Several worker processes on one address, and their parent."""

import signal
import socket
import time

import uvicorn
from uvicorn.supervisors import Multiprocess

_ENDING = (signal.SIGTERM, signal.SIGINT)
_LOOK_EVERY = 0.1


class Workers(Multiprocess):
    """uvicorn's supervisor, which here closes the listening socket once the workers have drained.

    uvicorn keeps it open until the last worker has ended. Meanwhile new connections would wait in
    the backlog, which nobody accepts from, instead of being refused at once.
    """

    def __init__(
        self, config: uvicorn.Config, listeners: list[socket.socket], drain_seconds: float
    ) -> None:
        super().__init__(config, sockets=listeners)
        self._drain_seconds = drain_seconds

    def keep_subprocess_alive(self) -> None:
        """Replace dead workers, without waiting for the pong of one that dies during the ping.

        That takes closing our copy of their end of the pipe: else reading from it never ends.
        """
        for one in self.processes:
            one.child_conn.close()
        super().keep_subprocess_alive()

    def join_all(self) -> None:
        """Wait for the workers, which were told to end."""
        self._wait_for_draining()
        for listener in self.sockets:
            listener.close()
        super().join_all()

    def _wait_for_draining(self) -> None:
        """Return when the workers have stopped listening; a second signal is passed on to them."""
        until = time.monotonic() + self._drain_seconds
        while time.monotonic() < until and any(one.process.is_alive() for one in self.processes):
            if any(told in _ENDING for told in self.signal_queue):
                self.terminate_all()
                return
            time.sleep(_LOOK_EVERY)
