"""The command line of the server, as an operator types it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from oidc_server import cli
from oidc_server.cli import workshop
from tests.services import run
from tests.services.clock import SharedClock

PROGRAM = (sys.executable, "-m", "oidc_server")
PROGRAM_WITH_CLOCK = (sys.executable, "-m", "tests.services.clock")
_ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0


@dataclass(frozen=True)
class CommandLine:
    """A shell in the working folder `folder`, with nothing but these settings."""

    folder: Path
    settings: Mapping[str, str]
    clock: SharedClock | None = None
    """What it goes by; else by the real time."""

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `oidc-server <arguments>` to its end."""
        return self._ended(self.start(*arguments), stdin)

    def answer(self, *arguments: str, stdin: str = "") -> Any:
        """Run a command with `--json` in this process, which is quick; return its answer.

        It is for what a test needs or asks, not for what it is about.
        """
        with ExitStack() as changed:
            patch = changed.enter_context(pytest.MonkeyPatch.context())
            for name in set(os.environ) - set(run.clean_environment()):
                patch.delenv(name)
            for name, value in self.settings.items():
                patch.setenv(name, value)
            if (clock := self.clock) is not None:
                patch.setattr(workshop, "utc_now", lambda: clock.now)
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["oidc-server", *arguments, "--json"])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            stdout = changed.enter_context(redirect_stdout(io.StringIO()))
            stderr = changed.enter_context(redirect_stderr(io.StringIO()))
            end = changed.enter_context(pytest.raises(SystemExit))
            cli.main()
        assert not end.value.code, stdout.getvalue() + stderr.getvalue()
        return json.loads(stdout.getvalue())

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """Run a command with `--json`; return its answer. Fails if the command does."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def run_together(self, *commands: tuple[str, ...]) -> list[subprocess.CompletedProcess[str]]:
        """Start all of them at once and wait for each."""
        processes = [self.start(*arguments) for arguments in commands]
        return [self._ended(process, "") for process in processes]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and do not wait for it."""
        program = PROGRAM if self.clock is None else PROGRAM_WITH_CLOCK
        return subprocess.Popen(
            [*program, *arguments],
            cwd=self.folder,
            env={**run.clean_environment(), "PYTHONPATH": str(_ROOT), **self.settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _ended(
        self, process: subprocess.Popen[str], stdin: str
    ) -> subprocess.CompletedProcess[str]:
        try:
            stdout, stderr = process.communicate(stdin, timeout=_PATIENCE)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
