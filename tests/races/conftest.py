"""One server with two workers for the tests of a module, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.services.databases import KINDS, sqlite_url
from tests.services.deployment import Deployment, deployed


@pytest.fixture(scope="module", params=KINDS)
def deployment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Two workers with the default settings. A test makes its own users and clients."""
    folder = tmp_path_factory.mktemp("deployment")
    if request.param == "sqlite":
        with deployed(folder, sqlite_url(folder)) as running:
            yield running
        return
    postgres = request.getfixturevalue("postgres")
    url = postgres.create_database()
    with deployed(folder, url) as running:
        yield running
    postgres.drop_database(url)
