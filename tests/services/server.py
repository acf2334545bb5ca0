"""The server itself, in processes of its own, as an operator would start it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.services import log_scan, run
from tests.services.ports import free_port

COMMAND = (sys.executable, "-m", "oidc_server", "serve")
COMMAND_WITH_CLOCK = (sys.executable, "-m", "tests.services.clock", "serve")
OPTIONS = ("--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}")
READY_PATH = "/health/live"
_ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0


@dataclass(frozen=True)
class RunningServer:
    """A started server. `base_url` has no slash at its end."""

    base_url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    def logs(self) -> str:
        """Return all that the server has written so far."""
        return self.log_file.read_text(errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the server with its workers; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server ignored {how.name}:\n{self.logs()}") from None

    def kill(self) -> None:
        """End all that is left of the server and its workers, without a chance to tidy up."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait_until_ready(self, path: str) -> None:
        """Return as soon as `path` is answered; fail with the log if that does not happen."""
        deadline = time.monotonic() + _PATIENCE
        while not _answers(self.base_url + path):
            ended = self.process.poll() is not None
            assert not ended, f"the server ended with {self.process.returncode}:\n{self.logs()}"
            assert time.monotonic() < deadline, f"the server does not answer:\n{self.logs()}"
            time.sleep(0.05)


@contextmanager
def running_server(
    folder: Path,
    settings: Mapping[str, str],
    *,
    workers: int = 1,
    command: Sequence[str] = COMMAND,
    options: Sequence[str] = OPTIONS,
    ready_path: str = READY_PATH,
) -> Iterator[RunningServer]:
    """Run a server on a free port, in the working folder `folder`, with nothing but these settings.

    On a clock that the test moves: add `SharedClock.environment`, and use COMMAND_WITH_CLOCK.
    `{port}` and `{workers}` are filled into the command line and the values of the settings.
    """
    port = free_port()
    filled = [part.format(port=port, workers=workers) for part in (*command, *options)]
    environment = {name: value.format(port=port) for name, value in settings.items()}
    log_file = folder / f"server-{port}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            filled,
            cwd=folder,
            env={**run.clean_environment(), "PYTHONPATH": str(_ROOT), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that `kill` finds the workers of a parent that is gone
        )
    server = RunningServer(f"http://127.0.0.1:{port}", process, log_file)
    try:
        server.wait_until_ready(ready_path)
        yield server
        server.stop()
    finally:
        server.kill()
    log_scan.check(server.logs())


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Start servers that end with the test: takes what `running_server` takes after the folder."""
    with ExitStack() as servers:

        def start(settings: Mapping[str, str], **how: object) -> RunningServer:
            return servers.enter_context(running_server(tmp_path, settings, **how))  # type: ignore[arg-type]

        yield start


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.TransportError:
        return False
