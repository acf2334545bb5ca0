"""What is measured runs as it would elsewhere, and leaves the tests as they were."""

from collections.abc import Iterator

import pytest

from tests.services import run
from tests.services.coverage_data import unmeasured


@pytest.fixture(scope="module", autouse=True)
def _without_coverage() -> Iterator[None]:
    with unmeasured():
        yield


@pytest.fixture(autouse=True)
def _folder_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put it back: a benchmark that starts a PostgreSQL of its own has another."""
    monkeypatch.setenv("TEST_RUN_FOLDER", str(run.folder()))
