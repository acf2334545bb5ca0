"""A whole installation: the server in its processes, a database, and an operator's command line."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

import httpx2
import pytest

from tests.browser import Browser
from tests.factories import PASSWORD, REDIRECT_URI, App, Person
from tests.services import log_scan
from tests.services.clock import SharedClock
from tests.services.command_line import CommandLine
from tests.services.ready_databases import SECRET_KEY, ReadyDatabases
from tests.services.server import COMMAND, COMMAND_WITH_CLOCK, RunningServer, running_server

_SETTINGS = {
    "OIDC_ISSUER": "http://127.0.0.1:{port}",
    "OIDC_SECRET_KEY": SECRET_KEY,
    "OIDC_ARGON2_TIME_COST": "1",
    "OIDC_ARGON2_MEMORY_KIB": "64",
    "OIDC_RATE_LIMITS": "off",
    "OIDC_MAX_WAIT": "20s",  # a machine that does other things too is no overload
}
_SERVING = "Application startup complete"
_PATIENCE = 120.0
"""Seconds for a worker to begin, on a machine that does many other things."""
_number = count(1)


@dataclass(frozen=True)
class Deployment:
    """What runs, and what is needed to work with it."""

    server: RunningServer
    command_line: CommandLine
    _open: ExitStack = field(repr=False)

    @property
    def issuer(self) -> str:
        return self.server.base_url

    @cached_property
    def http(self) -> httpx2.Client:
        """A program that speaks to the server; it keeps no cookies worth having."""
        return self.client()

    def client(self) -> httpx2.Client:
        """Another HTTP client, with cookies of its own."""
        return self._open.enter_context(
            httpx2.Client(
                base_url=self.server.base_url,
                follow_redirects=False,
                timeout=30,
                event_hooks={"response": [log_scan.remember]},
            )
        )

    def browser(self) -> Browser:
        """Another person's browser."""
        return Browser(self.client(), self.issuer)

    def make_user(self, *options: str) -> Person:
        """An account with a verified address, made by `oidc-server users add`."""
        name = f"person{next(_number)}"
        address = f"{name}@example.com"
        made = self.command_line.answer(
            *("users", "add", "--username", name, "--email", address),
            *("--verified", "--password-stdin", *options),
            stdin=PASSWORD + "\n",
        )
        return Person(made["id"], name, address)

    def make_client(self, client_type: str = "web", *options: str) -> App:
        """An application, made by `oidc-server clients add`."""
        made = self.command_line.answer(
            *("clients", "add", "--name", "Ledger", "--type", client_type),
            *("--redirect-uri", REDIRECT_URI, *options),
        )
        return App(made["client_id"], made.get("client_secret"), REDIRECT_URI)

    def workers(self) -> list[int]:
        """The process ids of the workers that live (Linux tells them)."""
        parent = self.server.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [int(child) for child in children if _is_worker(int(child))]

    def kill_workers(self) -> None:
        """End every worker without a chance to tidy up; others take their places."""
        for worker in self.workers():
            os.kill(worker, signal.SIGKILL)

    def wait_for_starts(self, count: int) -> None:
        """Return when workers have told `count` times, since the beginning, that they serve."""
        deadline = time.monotonic() + _PATIENCE
        while self.server.logs().count(_SERVING) < count:
            assert time.monotonic() < deadline, self.server.logs()
            time.sleep(0.05)


def settings_for(database_url: str, folder: Path, **changes: str) -> dict[str, str]:
    """Settings of a test server: cheap hashes, no limits; `changes` are named without OIDC_."""
    return {
        **_SETTINGS,
        "OIDC_DATABASE_URL": database_url,
        "OIDC_DATA_DIR": str(folder / "data"),
        **{f"OIDC_{name.upper()}": value for name, value in changes.items()},
    }


@contextmanager
def deployed(
    folder: Path,
    database_url: str,
    *,
    workers: int = 2,
    clock: SharedClock | None = None,
    version_in: Path | None = None,
    **changes: str,
) -> Iterator[Deployment]:
    """Run the server on that database with `workers` processes, all of them ready.

    `version_in` is a folder with another version of the program.
    """
    settings = settings_for(database_url, folder, **changes)
    if version_in is not None:
        settings["PYTHONPATH"] = str(version_in)
    command = COMMAND
    if clock is not None:
        settings |= clock.environment
        command = COMMAND_WITH_CLOCK
    with (
        running_server(folder, settings, workers=workers, command=command) as server,
        ExitStack() as stack,
    ):
        typed = {**settings, "OIDC_ISSUER": server.base_url}
        running = Deployment(server, CommandLine(folder, typed, clock), stack)
        running.wait_for_starts(workers)
        yield running


@pytest.fixture
def deploy(ready_database_url: str, tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Start servers without any data that end with the test: `deploy(log_level="debug")`."""
    with ExitStack() as stack:
        yield _starter(stack, tmp_path, ready_database_url)


@pytest.fixture
def deploy_sqlite(
    request: pytest.FixtureRequest, ready_databases: ReadyDatabases, tmp_path: Path
) -> Iterator[Callable[..., Deployment]]:
    """The same, for what concerns SQLite only."""
    with ExitStack() as stack:
        url = stack.enter_context(ready_databases.copy(request, "sqlite", tmp_path))
        yield _starter(stack, tmp_path, url)


def _starter(stack: ExitStack, folder: Path, database_url: str) -> Callable[..., Deployment]:
    def start(*, workers: int = 2, clock: SharedClock | None = None, **changes: str) -> Deployment:
        running: AbstractContextManager[Deployment] = deployed(
            folder, database_url, workers=workers, clock=clock, version_in=None, **changes
        )
        return stack.enter_context(running)

    return start


def _is_worker(process: int) -> bool:
    """A dead one that nobody has buried yet has no command line; helpers have another one."""
    return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
