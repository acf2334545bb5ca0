"""The command line in this process, which is quick."""

import io
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from oidc_server import cli


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What it answered; fails unless that is one JSON document and nothing else."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Terminal:
    """Types commands with the environment that the test has set."""

    patch: pytest.MonkeyPatch
    written: pytest.CaptureFixture[str]

    def run(self, *arguments: str, stdin: str | bytes = "") -> Done:
        """Run `oidc-server <arguments>`, with `stdin` as its standard input."""
        sent = stdin if isinstance(stdin, bytes) else stdin.encode()
        self.patch.setattr(sys, "argv", ["oidc-server", *arguments])
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sent)))
        self.written.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        written = self.written.readouterr()
        return Done(int(end.value.code or 0), written.out, written.err)
