"""A real server, and the examples running against it, each in a process of its own."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.services.command_line import CommandLine
from tests.services.server import OPTIONS, RunningServer, running_server

ROOT = Path(__file__).parents[2]
PASSWORD = "a long enough passphrase"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Place:
    """A running server, and the settings that its command line needs too."""

    server: RunningServer
    folder: Path
    settings: Mapping[str, str]

    @property
    def issuer(self) -> str:
        return self.settings["OIDC_ISSUER"]

    def command(self, *arguments: str, send: str = "") -> dict[str, Any]:
        """Run `oidc-server` beside the running server; return its JSON."""
        answer: dict[str, Any] = CommandLine(self.folder, self.settings).answer(
            *arguments, stdin=send
        )
        return answer

    def add_user(self, username: str, *, named: bool = True) -> None:
        email = f"{username}@example.com"
        name = ("--name", username.title()) if named else ()
        identity = ("--username", username, "--email", email, *name)
        self.command("users", "add", *identity, "--verified", "--password-stdin", send=PASSWORD)

    def add_app(self, name: str, home: str) -> dict[str, str]:
        """Register a web application at `home`; returns what it is run with."""
        made = self.command(
            *("clients", "add", "--name", name, "--type", "web"),
            *("--redirect-uri", f"{home}/callback", "--post-logout-redirect-uri", f"{home}/"),
        )
        return {
            "CLIENT_ID": made["client_id"],
            "CLIENT_SECRET": made["client_secret"],
            "ISSUER": self.issuer,
            "HOME_URL": home,
        }


@contextmanager
def running_place(folder: Path, **settings: str) -> Iterator[Place]:
    """Start a server in an empty folder, with `--dev`."""
    values = {
        "OIDC_ISSUER": "http://localhost:{port}",
        "OIDC_ARGON2_TIME_COST": "1",
        "OIDC_ARGON2_MEMORY_KIB": "64",
        "OIDC_RATE_LIMITS": "off",
        **settings,
    }
    with running_server(folder, values, options=(*OPTIONS, "--dev")) as server:
        port = server.base_url.rpartition(":")[2]
        yield Place(server, folder, {**values, "OIDC_ISSUER": f"http://localhost:{port}"})


@contextmanager
def running_program(
    command: list[str], folder: Path, environment: Mapping[str, str], url: str
) -> Iterator[None]:
    """Run a program until the end of the block; it is ready when `url` is answered."""
    log = folder / "program.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2).status_code < 500
    except httpx2.TransportError:
        return False
