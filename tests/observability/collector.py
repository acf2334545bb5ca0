"""A real collector of log lines on this machine, which can stall, hang up, and come back."""

import json
import socket
import threading
import time
from contextlib import suppress

from tests.services.ports import free_port


class Collector:
    """Listens on a port of its own, and keeps every whole line that it reads."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []
        self.port = free_port()  # one that it finds free when it comes back
        self.stalls = threading.Event()
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.come_back()

    def come_back(self) -> None:
        """Listen (again), at the same port."""
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def go_away(self) -> None:
        """Hang up on everybody at once, with whatever was not read yet, and stop to listen."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for connection in self._open:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1] + [0] * 7))
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._open.clear()

    def wait_for(self, count: int, seconds: float = 60.0) -> None:
        """Return when so many lines have come."""
        deadline = time.monotonic() + seconds
        while len(self.lines) < count:
            assert time.monotonic() < deadline, f"{len(self.lines)} of {count} lines came"
            time.sleep(0.01)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        rest = b""
        with suppress(OSError):
            while True:
                while self.stalls.is_set():
                    time.sleep(0.01)
                part = connection.recv(4096)
                if not part:
                    return
                *whole, rest = (rest + part).split(b"\n")
                self.lines += [json.loads(line) for line in whole]
