"""A log that a test can read; what it changed is put back."""

import io

import pytest

from oidc_server.observability import logs
from tests.services import log_scan


@pytest.fixture(autouse=True)
def restored_logging():
    """Each test configures logging anew; what it changed is put back."""
    with log_scan.restored_logging():
        yield


@pytest.fixture
def stream():
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    return stream
