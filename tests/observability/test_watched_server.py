"""A server with two workers, as those who watch it see it: metrics, files, shipped lines."""

import json
import os
import re
import signal
import time
from pathlib import Path

import httpx2
import pytest

from oidc_server import processors
from oidc_server.observability import metrics
from oidc_server.serving import metrics_listener
from tests.observability.collector import Collector
from tests.services.databases import sqlite_url
from tests.services.deployment import Deployment, deployed
from tests.services.ports import free_port
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

DISCOVERY = "/.well-known/openid-configuration"
_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """One server for all tests here; each looks at differences only."""
    folder = tmp_path_factory.mktemp("watched")
    collector, port = Collector(), free_port()
    with deployed(
        folder,
        sqlite_url(folder),
        workers=2,
        metrics_address=f"127.0.0.1:{port}",
        log_directory=str(folder / "logs"),
        log_ship_to=f"tcp://127.0.0.1:{collector.port}",
    ) as deployment:
        watched = Watched(deployment, port, folder / "logs", collector)
        yield watched
    # The workers are gone, and nothing that they told of requests went with them.
    assert watched.is_shipped()
    collector.go_away()


class Watched:
    """The server, and every way to look at it."""

    def __init__(self, deployment: Deployment, port: int, logs: Path, collector: Collector) -> None:
        self.deployment = deployment
        self.metrics_url = f"http://127.0.0.1:{port}/metrics"
        self.logs = logs
        self.collector = collector

    def metrics(self) -> str:
        answer = httpx2.get(self.metrics_url)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        return answer.text

    def value(self, name: str, **labels: str) -> float:
        """The sum of all samples of a name that have these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in self.metrics().splitlines()
            if re.match(rf"{name}[ {{]", line) and all(label in line for label in wanted)
        )

    def requests(self, route: str) -> float:
        return self.value("oidc_http_requests_total", route=route)

    def wait_for_requests(self, route: str, count: float) -> None:
        deadline = time.monotonic() + 60
        while (found := self.requests(route)) < count:
            assert time.monotonic() < deadline, f"{found} of {count}"
            time.sleep(0.05)

    def wait_until_everybody_has(self, request_id: str) -> None:
        """The line of a request comes after its answer, to the file and the collector."""

        def everybody_has_it() -> bool:
            return all(
                any(line.get("request_id") == request_id for line in lines)
                for lines in (self.file_lines(), list(self.collector.lines))
            )

        wait_for(everybody_has_it)

    def is_shipped(self) -> bool:
        """Whether no worker holds a line of a request any more."""
        shipped = {line.get("request_id") for line in list(self.collector.lines)}
        return {line.get("request_id") for line in self.file_lines()} <= shipped

    def file_lines(self, name: str = "app.log"):
        return [json.loads(line) for line in (self.logs / name).read_text().splitlines()]


def ask(watched, count):
    """So many requests, each on a connection of its own, so that both workers get some."""
    for _ in range(count):
        httpx2.get(watched.deployment.issuer + DISCOVERY)


def test_requests_of_all_workers_are_counted_also_when_one_was_killed(watched):
    route = "discovery.openid_configuration"
    before = watched.requests(route)
    ask(watched, 40)
    watched.wait_for_requests(route, before + 40)

    wait_for(watched.is_shipped)
    starts = watched.deployment.server.logs().count("Application startup complete")
    os.kill(watched.deployment.workers()[0], signal.SIGKILL)
    watched.deployment.wait_for_starts(starts + 1)
    after_the_kill = watched.requests(route)
    ask(watched, 10)
    watched.wait_for_requests(route, before + 50)

    assert after_the_kill == before + 40
    assert watched.requests(route) == before + 50
    assert watched.value("oidc_http_request_duration_seconds_count", route=route) == before + 50
    assert watched.value("oidc_lane_threads", lane="hashing") == 2 * processors.threads(2)


def test_sign_ins_tokens_and_sessions_are_counted(watched):
    person = watched.deployment.make_user()
    service = watched.deployment.make_client("service")
    failed = watched.value("oidc_sign_ins_total", outcome="failed")
    tokens = watched.value("oidc_tokens_issued_total", grant_type="client_credentials")
    browser = watched.deployment.browser()

    page = browser.go("/login")
    browser.log_in(page, person, password="wrong")
    browser.log_in(browser.go("/login"), person)
    for _ in range(3):
        watched.deployment.http.post(
            "/token",
            data={"grant_type": "client_credentials"},
            auth=(service.client_id, service.client_secret or ""),
        ).raise_for_status()

    assert watched.value("oidc_sign_ins_total", outcome="failed") == failed + 1
    assert watched.value("oidc_sign_ins_total", outcome="succeeded") >= 1
    now = watched.value("oidc_tokens_issued_total", grant_type="client_credentials")
    assert now == tokens + 3
    assert watched.value("oidc_database_up") == 1
    wait_for(lambda: watched.value("oidc_active_sessions") >= 1, 40)


def test_nobody_who_signs_in_is_named_by_what_is_counted(watched):
    person = watched.deployment.make_user()
    client = watched.deployment.make_client()

    watched.deployment.http.get("/authorize", params={"client_id": client.client_id})
    watched.deployment.http.get("/nothing/" + person.username)

    shown = watched.metrics()
    assert client.client_id not in shown
    assert person.username not in shown
    assert person.id not in shown


def test_metrics_are_on_their_own_address_alone(watched):
    assert watched.deployment.http.get("/metrics").status_code == 404
    assert httpx2.get(watched.metrics_url + "x").status_code == 404


def test_every_line_is_in_the_file_and_at_the_collector_once_and_in_order(watched):
    ids = [f"in-order-{number}" for number in range(50)]

    for request_id in ids:
        watched.deployment.http.get(DISCOVERY, headers={"x-request-id": request_id})

    watched.wait_until_everybody_has(ids[-1])
    in_file = [line["request_id"] for line in watched.file_lines() if "request_id" in line]
    shipped = [line["request_id"] for line in watched.collector.lines if "request_id" in line]
    assert [one for one in in_file if one in ids] == ids
    assert [one for one in shipped if one in ids] == ids
    assert watched.file_lines("error.log") == []


def test_the_dashboard_asks_for_nothing_that_is_not_counted(watched):
    dashboard = json.loads((_ROOT / "examples/monitoring/grafana-dashboard.json").read_text())
    queries = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    shown = set(re.findall(r"^# TYPE (\w+)", watched.metrics(), re.MULTILINE))
    own = {name for name in shown if name.startswith("oidc_")}

    asked = {name for query in queries for name in re.findall(r"\boidc_\w+", query)}

    assert len(queries) >= 10
    histograms = {f"{name}{end}" for name in own for end in ("_bucket", "_count", "_sum")}
    known = _declared()
    assert asked <= known | histograms
    assert own <= known
    told = (_ROOT / "docs/operations.md").read_text()
    assert {name for name in own if f"`{name}`" not in told} == set()


def _declared() -> set[str]:
    """The names of all metrics that the program declares, as Prometheus shows them."""
    told = {sample.name for family in metrics.REGISTRY.collect() for sample in family.samples}
    families = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in metrics.REGISTRY.collect()
    }
    return told | families | set(metrics_listener._MEANING)
