"""Independent clients that run on Node.js: their scripts and locked packages are in `tests/js/`."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.services import run

FOLDER = Path(__file__).parents[1] / "js"
OLDEST = (20, 19)  # `engines` in package.json
MISSING_NODE = "no Node.js: install version {}.{} or newer".format(*OLDEST)
MISSING_PACKAGES = "no packages for Node.js: run `npm ci` in tests/js"


@dataclass(frozen=True)
class Node:
    """A Node.js that can import the packages of `tests/js`."""

    program: str

    def run(self, script: str, *arguments: str, timeout: float = 60) -> Any:
        """Run `tests/js/<script>`; return what it printed, which must be JSON.

        Raises AssertionError with all that the script said when it fails.
        """
        return self._json([script, *arguments], timeout)

    def evaluate(self, source: str, timeout: float = 60) -> Any:
        """Run an ES module given as text; return what it printed, which must be JSON."""
        return self._json(["--input-type=module", "--eval", source], timeout)

    def converse(
        self, script: str, argument: object, open_page: Callable[[str], str], timeout: float = 60
    ) -> Any:
        """Run `tests/js/<script>`, which asks for a person; return what it says at its end.

        It writes lines of JSON: for `{"open": address}` it gets where `open_page` ended up, and
        `{"done": …}` is the last one.
        """
        command = [self.program, script, json.dumps(argument)]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=FOLDER, env=run.clean_environment(), stdin=pipe, stdout=pipe, stderr=pipe
        ) as process:
            guard = Timer(timeout, process.kill)
            guard.start()
            try:
                done = _answer(process, open_page)
            finally:
                guard.cancel()
            assert done is not None, process.stderr and process.stderr.read().decode()
            return done

    def _json(self, arguments: list[str], timeout: float) -> Any:
        done = subprocess.run(
            [self.program, *arguments],
            cwd=FOLDER,
            env=run.clean_environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def _answer(process: "subprocess.Popen[bytes]", open_page: Callable[[str], str]) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if "done" in said:
            return said["done"]
        process.stdin.write(open_page(said["open"]).encode() + b"\n")
        process.stdin.flush()
    return None


@pytest.fixture(scope="session")
def node() -> Node:
    """Node.js with the packages of `tests/js`."""
    program = shutil.which("node")
    if program is None or _version(program) < OLDEST:
        pytest.skip(MISSING_NODE)
    if not (FOLDER / "node_modules").is_dir():
        pytest.skip(MISSING_PACKAGES)
    return Node(program)


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.strip().lstrip("v").split("."))
