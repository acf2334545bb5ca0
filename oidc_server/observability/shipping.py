"""Sends log lines to a collector: JSON over TCP, as Logstash's `json_lines` reads it.

A request only puts its line into a queue; a thread sends it. Every line has the name of its process
and a sequence number, which show gaps, duplicates and the order. When the queue is full new lines
are dropped, and a line in their place says how many. After a broken connection, sending resumes
with the first line that the other side has not acknowledged (TCP).
"""

import fcntl
import os
import secrets
import select
import socket
import struct
import termios
import threading
import time
from collections import deque

import orjson

from oidc_server.clock import utc_now
from oidc_server.observability import metrics

_MAX_BYTES = 8 * 1024 * 1024
"""Size of the queue: some ten thousand lines."""
_TIMEOUT = 5.0
"""Seconds for connecting, and for the collector to accept more data."""
_TICK = 1.0
"""Seconds after which an idle connection is checked."""
_BATCH = 64 * 1024
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_FAREWELL = 2.0
"""Seconds for sending the last lines when the process ends."""


class Shipping:
    """A queue, and the thread that empties it to `host`:`port`."""

    def __init__(self, host: str, port: int, max_bytes: int = _MAX_BYTES) -> None:
        self._address = (host, port)
        self._max_bytes = max_bytes
        source = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._source = orjson.dumps(source)
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._number = 0
        self._closing_until: float | None = None
        self._unconfirmed: deque[bytes] = deque()
        self._thread = threading.Thread(target=self._run, name="log-shipping", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Put one JSON object into the queue. It never blocks on the collector."""
        with self._changed:
            if self._waiting_bytes + len(line) > self._max_bytes:
                self._number += 1
                self._dropped += 1
                metrics.LOG_LINES_DROPPED.labels("shipping").inc()
                return
            self._tell_dropped()
            self._put(line)
            self._changed.notify()

    def flush(self) -> None:
        """Wait until all is sent and confirmed, for a moment at most."""
        until = time.monotonic() + _FAREWELL
        while (self._waiting or self._unconfirmed) and time.monotonic() < until:
            with self._changed:
                self._changed.notify()
            time.sleep(0.01)

    def close(self) -> None:
        """Send what waits, for a few seconds at most, and end; called once."""
        with self._changed:
            self._closing_until = time.monotonic() + _FAREWELL
            self._changed.notify()
        self._thread.join(_FAREWELL + _TICK)

    def _put(self, line: bytes) -> None:
        self._number += 1
        numbered = b'%b,"source":%b,"sequence":%d}\n' % (line[:-1], self._source, self._number)
        self._waiting.append(numbered)
        self._waiting_bytes += len(numbered)

    def _tell_dropped(self) -> None:
        """Put a line that counts the dropped ones in their place, with the next sequence number."""
        if not self._dropped:
            return
        told = {
            "event": f"dropped {self._dropped} lines",
            "dropped": self._dropped,
            "level": "warning",
            "logger": __name__,
            "timestamp": utc_now().isoformat(timespec="milliseconds"),
        }
        self._dropped = 0
        self._put(orjson.dumps(told))

    # · the thread

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                with socket.create_connection(self._address, self._time_left()) as connection:
                    connection.sendall(b"".join(self._unconfirmed))
                    while self._serve(connection):
                        pause = _FIRST_PAUSE
                    return
            except OSError:
                self._rest(pause)
            if self._has_to_end():
                return
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _serve(self, connection: socket.socket) -> bool:
        """Send what waits, if anything; False when all is done that this process will do."""
        with self._changed:
            if not self._is_closing() and not self._waiting:
                self._changed.wait(_TICK)
        self._confirm(connection)
        with self._changed:
            batch = self._take()
            is_over = self._is_closing() and not batch
        self._unconfirmed.extend(batch)  # from here on it is sent again if this connection fails
        if batch:
            connection.settimeout(self._time_left())
            connection.sendall(b"".join(batch))
        elif is_over:
            while self._unconfirmed and not self._has_to_end():
                time.sleep(0.01)
                self._confirm(connection)
        return not is_over and not self._has_to_end()

    def _take(self) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        while self._waiting and size < _BATCH:
            line = self._waiting.popleft()
            size += len(line)
            batch.append(line)
        self._waiting_bytes -= size
        self._tell_dropped()
        return batch

    def _confirm(self, connection: socket.socket) -> None:
        """Drop acknowledged lines; raises `OSError` if the connection has ended."""
        answer = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))
        under_way: int = struct.unpack("i", answer)[0]
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        if poll.poll(0) and not connection.recv(_BATCH):
            raise ConnectionResetError
        later = sum(map(len, self._unconfirmed))
        while self._unconfirmed:
            later -= len(self._unconfirmed[0])
            if later < under_way:
                return
            self._unconfirmed.popleft()

    def _rest(self, pause: float) -> None:
        with self._changed:
            closing = self._changed.wait_for(self._is_closing, pause)
        if closing:
            time.sleep(0.05)

    def _is_closing(self) -> bool:
        return self._closing_until is not None

    def _has_to_end(self) -> bool:
        return self._closing_until is not None and time.monotonic() > self._closing_until

    def _time_left(self) -> float:
        if self._closing_until is None:
            return _TIMEOUT
        return max(0.01, self._closing_until - time.monotonic())
