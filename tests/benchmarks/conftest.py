"""What is measured leaves the tests as they were."""

import pytest

from tests.services import run


@pytest.fixture(autouse=True)
def _folder_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put it back: a benchmark that starts a PostgreSQL of its own has another."""
    monkeypatch.setenv("TEST_RUN_FOLDER", str(run.folder()))
