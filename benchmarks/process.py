"""A server in a process of its own, and what the kernel says of its memory."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.trees import Tree
from tests.services import run
from tests.services.ports import free_port

PROGRAM = str(Path(sys.executable).with_name("oidc-server"))
FIRST_REQUEST = "/.well-known/openid-configuration"
_PATIENCE = 30.0


@dataclass(frozen=True)
class Server:
    """A server that has answered its first request, `started_in` seconds after its birth."""

    port: int
    pid: int
    started_in: float

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def cpu_seconds(self) -> float:
        """What the process has used so far, in user and system mode together."""
        return Tree(self.pid).cpu_seconds()

    def resident_megabytes(self) -> float:
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in text.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024


@contextmanager
def running(
    folder: Path,
    *options: str,
    settings: Mapping[str, str] | None = None,
    program: Sequence[str] = (PROGRAM,),
) -> Iterator[Server]:
    """Start `oidc-server serve` in the working folder, and end it afterwards."""
    port = free_port()
    born = time.perf_counter()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*program, "serve", "--port", str(port), *options],
            cwd=folder,
            env={**run.clean_environment(), **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        while not answers(port):
            if process.poll() is not None or time.perf_counter() - born > _PATIENCE:
                raise RuntimeError((folder / "server.log").read_text(errors="replace"))
            time.sleep(0.005)
        yield Server(port, process.pid, time.perf_counter() - born)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    """Whether a server on that port answers its first request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request("GET", FIRST_REQUEST)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
