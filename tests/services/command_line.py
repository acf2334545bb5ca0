"""The command line of the server, as an operator types it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services import run

PROGRAM = (sys.executable, "-m", "oidc_server")
PROGRAM_WITH_CLOCK = (sys.executable, "-m", "tests.services.clock")
_ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0


@dataclass(frozen=True)
class CommandLine:
    """A shell in the working folder `folder`, with nothing but these settings."""

    folder: Path
    settings: Mapping[str, str]
    program: tuple[str, ...] = PROGRAM

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `oidc-server <arguments>` to its end."""
        return self._ended(self.start(*arguments), stdin)

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
        return subprocess.Popen(
            [*self.program, *arguments],
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
