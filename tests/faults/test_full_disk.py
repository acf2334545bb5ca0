"""The disk below SQLite, the log files and everything else of the server is full for a while."""

import json
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.recovery import assert_no_bug_was_logged, assert_told_to_come_back
from tests.relying_party import RelyingParty
from tests.services.deployment import Deployment, deployed
from tests.services.ports import free_port
from tests.services.ready_databases import ReadyDatabases
from tests.services.small_disk import SmallDisk
from tests.waiting import wait_for

pytestmark = [pytest.mark.race, pytest.mark.slow]
LOG_FILES = "logs"


@dataclass(frozen=True)
class Tenant:
    """A server of two workers, all of whose files are on the small disk."""

    deployment: Deployment
    disk: SmallDisk

    def fill(self) -> None:
        self.disk.fill(self._processes())

    def make_room(self) -> None:
        self.disk.make_room(self._processes())

    def _processes(self) -> list[int]:
        return [self.deployment.server.process.pid, *self.deployment.workers()]

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.disk.folder / "oidc.db")) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def move_in(
    request: pytest.FixtureRequest,
    ready_databases: ReadyDatabases,
    small_disk: SmallDisk,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Tenant]]:
    """Start the server: `move_in(drain_time="1s")`."""
    place = small_disk.folder
    (place / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    with ExitStack() as stack:
        url = stack.enter_context(ready_databases.copy(request, "sqlite", place))

        def start(**changes: Any) -> Tenant:
            logs = str(place / LOG_FILES)
            deployment = stack.enter_context(deployed(place, url, log_directory=logs, **changes))
            return Tenant(deployment, small_disk)

        yield start


def test_a_full_disk_stops_what_writes_and_nothing_else_and_is_forgotten_when_there_is_room(
    move_in: Callable[..., Tenant],
) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    tenant = move_in(metrics_address=metrics, access_token_lifetime="1h")
    deployment = tenant.deployment
    party = RelyingParty(deployment, deployment.make_client())
    person, browser = deployment.make_user(), deployment.browser()
    tokens = party.redeem(party.authorize(browser, person).code).json()
    code = party.authorize(browser, person).code
    login = deployment.browser()
    form = login.go("/login")
    sessions = tenant.rows("SELECT count(*) FROM user_sessions")
    lines = dropped_lines(metrics)

    tenant.fill()
    began = time.monotonic()
    for _ in range(4):  # either worker
        assert_told_to_come_back(party.redeem(code))
        assert_told_to_come_back(party.refresh(tokens["refresh_token"]))
        assert_told_to_come_back(party.post("/revoke", token=tokens["refresh_token"]))
        assert_a_page_says_so(deployment.http.get(party.url()))
        assert_a_page_says_so(login.log_in(form, person))
        assert_reading_works(deployment, party, tokens["access_token"])
    took = time.monotonic() - began
    tenant.make_room()

    assert took < 10
    assert party.redeem(code).status_code == 200
    assert party.redeem(code).status_code == 400
    successor = party.refresh(tokens["refresh_token"])
    assert successor.status_code == 200, successor.text
    assert tenant.rows("SELECT count(*) FROM user_sessions") == sessions
    assert login.log_in(login.go("/login"), person).status_code == 200
    for _ in range(8):
        assert party.redeem(party.authorize(browser, person).code).status_code == 200
        assert deployment.http.get("/health/ready").status_code == 200
    assert tenant.rows("PRAGMA integrity_check") == [("ok",)]
    assert dropped_lines(metrics) > lines
    assert_every_line_is_whole(tenant.disk.folder / LOG_FILES / "app.log")
    assert_no_bug_was_logged(deployment)


def test_a_worker_that_begins_on_a_full_disk_reads_and_writes_as_soon_as_there_is_room(
    move_in: Callable[..., Tenant],
) -> None:
    tenant = move_in()
    deployment = tenant.deployment
    party = RelyingParty(deployment, deployment.make_client())
    code = party.authorize(deployment.browser(), deployment.make_user()).code

    tenant.fill()
    killed, other = deployment.workers()
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: len(set(deployment.workers()) - {killed}) == 2)
    os.kill(other, signal.SIGSTOP)  # so that the new one answers
    try:
        wait_for(lambda: can_read(deployment))  # what comes while it begins may be told to wait
        party.site = Anew(deployment)
        refused = party.redeem(code)
        tenant.make_room()
        redeemed = party.redeem(code)
    finally:
        os.kill(other, signal.SIGCONT)

    assert_told_to_come_back(refused)
    assert redeemed.status_code == 200, redeemed.text


def can_read(deployment: Deployment) -> bool:
    return httpx2.get(f"{deployment.issuer}/jwks.json", timeout=30).status_code == 200


@dataclass(frozen=True)
class Anew:
    """A deployment whose every caller connects anew."""

    deployment: Deployment

    @property
    def http(self) -> httpx2.Client:
        return self.deployment.client()


def dropped_lines(metrics: str) -> float:
    told = httpx2.get(f"http://{metrics}/metrics").text
    found = re.search(r'^oidc_log_lines_dropped_total{sink="file"} (\S+)$', told, re.MULTILINE)
    return float(found[1]) if found else 0.0


def assert_reading_works(deployment: Deployment, party: RelyingParty, token: str) -> None:
    for path in ("/jwks.json", "/.well-known/openid-configuration", "/health/live", "/login"):
        answer = deployment.http.get(path)
        assert answer.status_code == 200, (path, answer.text)
    assert party.userinfo(token).status_code == 200
    assert party.introspect(token)["active"]


def assert_a_page_says_so(answer: httpx2.Response) -> None:
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["x-request-id"] in answer.text


def assert_every_line_is_whole(path: Path) -> None:
    """But for the one that the disk was full in the middle of."""
    broken = 0
    for line in path.read_text().splitlines():
        try:
            json.loads(line)
        except ValueError:
            broken += 1
    assert broken <= 3
