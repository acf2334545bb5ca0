"""What every test can ask for by name. The parts themselves are in `tests/services/`."""

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

pytest_plugins = (
    "tests.services.run",
    "tests.services.collected",
    "tests.services.log_scan",
    "tests.services.skips",
    "tests.services.postgres",
    "tests.services.databases",
    "tests.services.ready_databases",
    "tests.services.smtp",
    "tests.services.redis",
    "tests.services.small_disk",
    "tests.services.nginx",
    "tests.services.chromium",
    "tests.services.node",
    "tests.services.server",
    "tests.site",
    "tests.services.deployment",
)

_MARKER_OF_FIXTURE = {
    "chromium": "browser",
    "nginx": "nginx",
    "node": "node",
    "postgres": "postgres",
    "redis": "redis",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the services that it asks for, so that nobody has to remember."""
    for item in items:
        for fixture, marker in _MARKER_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)
