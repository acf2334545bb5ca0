"""The least that an answer can cost here: Starlette with nothing to do, under the same server."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import process
from benchmarks.peer import plans
from benchmarks.peer.sides import Side
from benchmarks.trees import Tree
from tests.services import run
from tests.services.ports import free_port

PLAN = plans.repeat("GET", "/")
_PATIENCE = 20.0


async def _nothing(_request: object) -> Response:
    return Response()


async def _no_metadata(_request: object) -> Response:
    return Response("{}", media_type="application/json")


app = Starlette(
    routes=[Route("/", _nothing), Route("/.well-known/openid-configuration", _no_metadata)]
)


@contextmanager
def running(log: Path) -> Iterator[Side]:
    """Start it in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"{__name__}:app", "--port", str(port)]
    with log.open("wb") as said:
        server = subprocess.Popen(
            [*command, "--no-access-log", "--no-proxy-headers"],
            env=run.clean_environment(),
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + _PATIENCE
        while not process.answers(port):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text(errors="replace"))
            time.sleep(0.02)
        yield Side("empty", port, Tree(server.pid), {}, lambda *_: "")
    finally:
        server.terminate()
        server.wait()
