"""A proxy before the port of a real server, whose connections can be made bad."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

_PAUSE = 0.4
"""Seconds from one byte to the next on a line that is slow."""


class State(Enum):
    """What becomes of what the server behind the line says."""

    GOOD = "it arrives"
    SILENT = "nobody says a word, though connections are taken"
    SLOW = "it arrives byte by byte"
    CUT = "the line is cut as soon as the server answers for the second time"


class Line:
    """`port` leads to another port of this machine; `taken` is how many connections came."""

    def __init__(self, to: int) -> None:
        self.state = State.GOOD
        self.taken = 0
        self._to = to
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []

    def serve(self) -> None:
        """Take connections until `close`."""
        with suppress(OSError):
            while True:
                caller, _ = self._server.accept()
                self.taken += 1
                self._open.append(caller)
                if self.state is not State.SILENT:
                    threading.Thread(target=self._connect, args=(caller,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for one in (self._server, *self._open):
            one.close()

    def _connect(self, caller: socket.socket) -> None:
        called = socket.create_connection(("127.0.0.1", self._to))
        self._open.append(called)
        threading.Thread(target=self._hand_on, args=(caller, called), daemon=True).start()
        self._answer(called, caller)

    def _hand_on(self, caller: socket.socket, called: socket.socket) -> None:
        with suppress(OSError):
            while said := caller.recv(65536):
                called.sendall(said)
            called.shutdown(socket.SHUT_WR)

    def _answer(self, called: socket.socket, caller: socket.socket) -> None:
        times = 0
        with suppress(OSError), called, caller:
            while said := called.recv(65536):
                times += 1
                if self.state is State.CUT and times > 1:
                    return
                if self.state is not State.SLOW:
                    caller.sendall(said)
                    continue
                for byte in said:
                    caller.sendall(bytes([byte]))
                    time.sleep(_PAUSE)


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """Run one in threads of this process."""
    line = Line(port)
    thread = threading.Thread(target=line.serve, daemon=True)
    thread.start()
    try:
        yield line
    finally:
        line.close()
        thread.join(10)
