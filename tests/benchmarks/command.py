"""`python -m benchmarks`, as its users run it."""

import subprocess
import sys

from tests.project.repository import ROOT
from tests.services import run


def bench(*options: str, timeout: float = 240) -> str:
    """What it prints; fails where it fails, or takes longer than `timeout` seconds."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=ROOT,
        env=run.clean_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
