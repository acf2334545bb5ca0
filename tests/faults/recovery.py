"""How a server behaves while its database is away, and that it is itself again afterwards."""

import time

import httpx2

from tests.services.deployment import Deployment

RECOVERY = 30.0
"""Seconds within which the server must work again, on a machine that does other things too."""


def assert_told_to_come_back(answer: httpx2.Response) -> None:
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert int(answer.headers["retry-after"]) > 0
    if "json" in answer.headers["content-type"]:
        assert answer.json()["error"] == "temporarily_unavailable"


def wait_until_ready(deployment: Deployment) -> None:
    """Until all workers are: each leaves the database alone for a moment of its own."""
    began = time.monotonic()
    in_a_row = 0
    while in_a_row < 16:
        answer = httpx2.get(f"{deployment.server.base_url}/health/ready", timeout=RECOVERY)
        in_a_row = in_a_row + 1 if answer.status_code == 200 else 0
        assert time.monotonic() - began < RECOVERY
        time.sleep(0.05)


def assert_no_bug_was_logged(deployment: Deployment) -> None:
    assert "Traceback" not in deployment.server.logs()
    assert "request failed" not in deployment.server.logs()
