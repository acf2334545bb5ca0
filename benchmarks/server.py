"""A server in a process of its own, and what the system says that it uses."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 30.0


@dataclass(frozen=True)
class Started:
    """A running server, and how long it took from the command to the first answer."""

    issuer: str
    pid: int
    seconds_to_first_answer: float
    folder: Path
    settings: Mapping[str, str]

    def cpu_seconds(self) -> float:
        """Processor time that the process has used, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        """Resident memory at this moment."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def command(self, *arguments: str, send: str = "") -> dict[str, Any]:
        """Run `oidc-server` on the same data; return its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "oidc_server", *arguments, "--json"],
            cwd=self.folder,
            env={**os.environ, **self.settings},
            input=send,
            capture_output=True,
            text=True,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Started]:
    """Start `oidc-server serve --dev` in `folder` and stop it at the end of the block."""
    port = _free_port()
    issuer = f"http://localhost:{port}"
    values = {"OIDC_ISSUER": issuer, "OIDC_RATE_LIMITS": "off", **settings}
    command = [sys.executable, "-m", "oidc_server", "serve", "--dev", "--port", str(port)]
    began = time.monotonic()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **values}, stdout=log, stderr=log
        )
    try:
        _wait_for_answer(issuer, process)
        yield Started(issuer, process.pid, time.monotonic() - began, folder, values)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE)


def _wait_for_answer(issuer: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{issuer}/login").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.01)
    raise RuntimeError("the server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
