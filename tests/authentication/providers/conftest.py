"""A server that may ask its own machine, and a provider there."""

from collections.abc import Iterator

import pytest

from tests.services.provider import Provider, running_provider
from tests.site import Site, running_site, settings_for


@pytest.fixture(scope="module")
def _local_site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    settings = settings_for(
        database_url, folder, issuer="http://localhost:8000", breaker_failures=3
    )
    with running_site(settings) as site:
        yield site


@pytest.fixture
def site(_local_site: Site) -> Site:
    """The server with nothing in it, on loopback."""
    _local_site.clean()
    return _local_site


@pytest.fixture
def provider(site: Site) -> Iterator[Provider]:
    """A provider with the clock of the server."""
    with running_provider(lambda: site.clock().timestamp()) as running:
        yield running
