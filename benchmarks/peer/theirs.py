"""The peer: oidc-provider in one Node.js process, with everything in memory."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from benchmarks.peer.sides import Side
from benchmarks.stage import REDIRECT_URI
from benchmarks.trees import Tree
from tests.factories import App
from tests.services import node, run
from tests.services.ports import free_port

_SCRIPT = Path(__file__).with_name("provider.js")
_SECRET = "the secret of every client of the peer"
_ROLES = {
    "web ES256": "web-es256-jwt",
    "web RS256": "web-rs256-jwt",
    "web opaque": "web-opaque",
    "service": "service-jwt",
    "service opaque": "service-opaque",
}


def missing() -> str | None:
    """What this machine lacks to run it."""
    if shutil.which("node") is None:
        return node.MISSING_NODE
    return None if (node.FOLDER / "node_modules").is_dir() else node.MISSING_PACKAGES


def versions() -> str:
    """Which oidc-provider, on which Node.js."""
    package = node.FOLDER / "node_modules" / "oidc-provider" / "package.json"
    said = subprocess.run(
        ["node", "--version"],  # noqa: S607 - whichever comes first, as below
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return f"oidc-provider {json.loads(package.read_text())['version']} on Node.js {said.strip()}"


@contextmanager
def running(log: Path) -> Iterator[Side]:
    """Start it; raises RuntimeError with what it said if it does not come up."""
    port = free_port()
    chosen = {"port": port, "redirect_uri": REDIRECT_URI, "secret": _SECRET}
    command = ["node", "--input-type=module", "--eval", _SCRIPT.read_text(), json.dumps(chosen)]
    environment = {**run.clean_environment(), "NODE_ENV": "production"}
    with (
        log.open("wb") as said,
        subprocess.Popen(
            command,
            cwd=node.FOLDER,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process,
    ):
        try:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError(log.read_text(errors="replace"))
            apps = {role: App(name, _SECRET, REDIRECT_URI) for role, name in _ROLES.items()}
            yield Side("peer", port, Tree(process.pid), apps, _sign_in)
        finally:
            process.terminate()


def _sign_in(http: httpx2.Client, path: str, number: int) -> str:
    """Its pages for development take any name."""
    answer = http.get(path)
    for _ in range(10):
        location: str = answer.headers.get("location", "")
        if location.startswith(REDIRECT_URI):
            return location
        if "/interaction/" in location:
            answer = http.post(
                location, data={"prompt": "login", "login": f"person{number}", "password": "any"}
            )
        else:
            answer = http.get(location)
    raise RuntimeError(f"the peer signs nobody in: {answer.status_code} {answer.text[:500]}")
