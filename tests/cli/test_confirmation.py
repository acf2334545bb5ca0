"""What cannot be undone is asked for by every command that does it, in the same way."""

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.cli.conftest import Run

FOR_GOOD = [
    ("users", "delete"),
    ("clients", "delete"),
    ("roles", "delete"),
    ("resources", "remove"),
    ("issuers", "remove"),
    ("providers", "remove"),
    ("keys", "revoke"),
]
RESOURCE = "https://api.example.net"


def typed(answer: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a terminal at which somebody answers."""
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    try:
        return subprocess.run(
            [sys.executable, "-m", "oidc_server", *command],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("command", FOR_GOOD, ids=" ".join)
def test_without_a_terminal_a_word_is_needed(run: Run, command: tuple[str, ...]) -> None:
    silent = run(*command, "somebody")
    answered = run(*command, "somebody", "--json")
    meant = run(*command, "somebody", "--yes")

    told = "This cannot be undone: say --yes."
    assert (silent.status, silent.stderr) == (1, f"{told}\n")
    assert (answered.status, answered.json) == (1, {"error": told})
    assert told not in meant.stderr


@pytest.mark.slow
def test_on_a_terminal_it_is_asked_beside_the_answer(run: Run) -> None:
    made = run("resources", "add", RESOURCE, "--json").json

    kept = typed("n\n", "resources", "remove", RESOURCE, "--json")
    left = run("resources", "list", "--json").json
    gone = typed("y\n", "resources", "remove", RESOURCE, "--json")

    assert (kept.returncode, kept.stdout.strip()) == (1, "")
    assert f"Forget {RESOURCE}" in kept.stderr
    assert left == [made]
    assert json.loads(gone.stdout) == {"identifier": RESOURCE, "removed": True}
    assert run("resources", "list", "--json").json == []
