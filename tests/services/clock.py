"""A clock that tests move, for servers in processes of their own.

`python -m tests.services.clock serve …` is `oidc-server serve …` on the time that a file tells.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from oidc_server import clock

_FILE = "TEST_CLOCK_FILE"


class SharedClock:
    """So far ahead of the real time as the file `path` says, in seconds; it goes on meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {_FILE: str(path)}
        self._set(timedelta())

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + _ahead(self.path)

    def advance(self, by: timedelta) -> None:
        """Move the time of every server on this clock."""
        self._set(_ahead(self.path) + by)

    def _set(self, ahead: timedelta) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(str(ahead.total_seconds()))
        draft.replace(self.path)  # at once, so that no server reads half of it


def _ahead(path: Path) -> timedelta:
    return timedelta(seconds=float(path.read_text()))


def _told_now() -> datetime:
    return datetime.now(UTC) + _ahead(Path(os.environ[_FILE]))


if __name__ in ("__main__", "__mp_main__"):  # the second is this module in a worker of the server
    clock.utc_now = _told_now

if __name__ == "__main__":
    from oidc_server.cli import main

    main()
