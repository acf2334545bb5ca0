"""A page of docs/ as its reader follows it: every curl line, one after the other."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from typing import Any

from tests.examples.running import ROOT, Place
from tests.services import run

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_KEPT = re.compile(r"`(\w+)` as\s+`([A-Z_]+)`")
_ADDED = re.compile(
    r"oidc-server ((?:clients|resources) add .*?)(?=^```|\noidc-server)", re.MULTILINE | re.DOTALL
)


def page(name: str) -> str:
    """The text of a page."""
    return (ROOT / "docs" / name).read_text()


def parts(text: str) -> dict[str, str]:
    """The text below each heading, by what a link calls the heading."""
    found = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    return {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-"): below
        for title, below in zip(found[::2], found[1::2], strict=True)
    }


def lines_of(part: str) -> list[str]:
    """The blocks to copy."""
    return _BLOCK.findall(part)


@dataclass
class Reader:
    """Somebody who does what the page says, in its order."""

    place: Place
    variables: dict[str, str]
    answers: list[Any] = field(default_factory=list)

    def register(self, text: str, *variables: str) -> None:
        """Add what the page adds; each variable is a client as `client_id:client_secret`."""
        clients = []
        for line in _ADDED.findall(text):
            arguments = re.findall(r'"([^"]*)"|([^\s"\\]+)', line.replace("--json", ""))
            made = self.place.command(*(quoted or plain for quoted, plain in arguments))
            if line.startswith("clients"):
                clients.append(f"{made['client_id']}:{made.get('client_secret', '')}")
        self.variables |= dict(zip(variables, clients, strict=True))

    def follow(self, part: str) -> None:
        """Run the lines of a part, and keep what it says is to be kept."""
        for line in lines_of(part):
            if not line.startswith("curl"):
                continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", line],
                cwd=self.place.folder,
                env={**run.clean_environment(), **self.variables},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            answer = json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout
            self.answers.append(answer)
            for member, variable in _KEPT.findall(part):
                if isinstance(answer, dict) and member in answer:
                    self.variables[variable] = answer[member]
