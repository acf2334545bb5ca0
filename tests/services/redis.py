"""A real Redis for one test, which it may kill, stop and let go on."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.ports import free_port

MISSING = "no Redis: install redis-server"
_PATIENCE = 60.0
_PASSWORD = "a-password-of-redis"


@dataclass
class RedisServer:
    """One server, which keeps nothing on disk. `url` holds its password."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def password(self) -> str:
        return _PASSWORD

    @property
    def url(self) -> str:
        return f"redis://:{_PASSWORD}@127.0.0.1:{self.port}/0"

    def freeze(self) -> None:
        """Let it hang: connections are taken by the system, and nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        """Empty, at the same address."""
        self.process = _started(self.folder, self.port)

    def names(self) -> list[str]:
        """What it holds, asked in its own protocol."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(f"AUTH {_PASSWORD}\r\nKEYS *\r\nQUIT\r\n".encode())
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return [line for line in b"".join(parts).decode().split("\r\n") if line[:1].isalpha()]


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run a Redis; skip the test where there is none."""
    if shutil.which("redis-server") is None:
        pytest.skip(MISSING)
    port = free_port()
    server = RedisServer(folder, port, _started(folder, port))
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            server.thaw()
            server.kill()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for one test."""
    with redis_server(tmp_path) as server:
        yield server


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    options = {"port": str(port), "bind": "127.0.0.1", "save": "", "requirepass": _PASSWORD}
    command = [part for name, value in options.items() for part in (f"--{name}", value)]
    process = subprocess.Popen(
        ["redis-server", *command, "--appendonly", "no", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + _PATIENCE
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return process
        assert process.poll() is None, "Redis did not start"
        assert time.monotonic() < deadline, "Redis does not answer"
        time.sleep(0.02)
