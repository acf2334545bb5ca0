"""What the processes of one test run share: a folder, locks, an environment without settings.

A part that all workers share is started in that folder by the first that needs it, under a lock,
and stopped by the process that started the run, once every worker has ended.
"""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FOLDER = "TEST_RUN_FOLDER"
_SETTINGS_PREFIX = "OIDC_"
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def folder() -> Path:
    """The folder of this run. Its path is short, since sockets live in it."""
    return Path(os.environ[_FOLDER])


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the run's lock of that name, across processes."""
    with (folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_controller(config: pytest.Config) -> bool:
    """Whether this process started the run; false in a worker of pytest-xdist."""
    return not hasattr(config, "workerinput")


def clean_environment() -> dict[str, str]:
    """The environment for a process that a test starts: ours, without any setting of the server."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS_PREFIX)
    }


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the folder, and forget what a developer's shell may say of the server and of Python."""
    for name in set(os.environ) - set(clean_environment()):
        del os.environ[name]
    # Hundreds of processes are to be started, and each would compile the whole program.
    os.environ.pop(_NO_BYTECODE, None)
    sys.dont_write_bytecode = False

    if is_controller(config):
        path = tempfile.mkdtemp(prefix="oidc-")
        Path(path).chmod(0o711)  # a database server cannot run as root, so another user comes by
        os.environ[_FOLDER] = path


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if is_controller(config):
        shutil.rmtree(os.environ.pop(_FOLDER), ignore_errors=True)
