"""One server with two workers for the tests of a module, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.services.databases import KINDS
from tests.services.deployment import Deployment, deployed
from tests.services.ready_databases import ReadyDatabases


@pytest.fixture(scope="module", params=KINDS)
def deployment(
    request: pytest.FixtureRequest,
    ready_databases: ReadyDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """Two workers with the default settings. A test makes its own users and clients."""
    folder = tmp_path_factory.mktemp("deployment")
    with (
        ready_databases.copy(request, request.param, folder) as url,
        deployed(folder, url) as running,
    ):
        yield running
