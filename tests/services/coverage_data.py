"""What coverage measures of the processes that tests start, and what becomes of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.services.run import is_controller


@contextmanager
def unmeasured() -> Iterator[None]:
    """Start processes as they run elsewhere: measured, a request takes twice as long.

    Coverage counts the lines of whatever process finds its settings in the environment.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Remove broken files before pytest-cov, whose wrapper is around this one, adds all up.

    A process that was killed leaves half a file, which helps nobody.
    """
    result = yield
    if is_controller(session.config):
        remove_broken(session.config.rootpath)
    return result


def remove_broken(folder: Path) -> None:
    """Remove the data files of coverage in that folder that cannot be read to their end."""
    for path in folder.glob(".coverage.*"):
        if not _is_whole(path):
            path.unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as data:
            [[verdict]] = data.execute("PRAGMA quick_check(1)")
            return verdict == "ok" and bool(
                data.execute("SELECT * FROM coverage_schema").fetchall()
            )
    except sqlite3.Error:
        return False
