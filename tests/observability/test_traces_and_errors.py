"""Spans for OpenTelemetry and errors for Sentry, as their collectors get them."""

import json
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from oidc_server.observability.beginning import OTEL_PACKAGES, SENTRY_PACKAGES
from tests.observability.listeners import ErrorCollector, TraceCollector
from tests.services import run
from tests.services.databases import sqlite_url
from tests.services.deployment import deployed, settings_for
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

SPAN = "00f067aa0ba902b7"
_SERVER, _CLIENT = 2, 3
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture(scope="module")
def traces():
    collector = TraceCollector()
    yield collector
    collector.close()


@pytest.fixture(scope="module")
def errors():
    collector = ErrorCollector()
    yield collector
    collector.close()


@pytest.fixture(scope="module")
def traced(tmp_path_factory, traces, errors):
    folder = tmp_path_factory.mktemp("traced")
    with deployed(
        folder,
        sqlite_url(folder),
        workers=1,
        otlp_endpoint=f"http://127.0.0.1:{traces.port}",
        sentry_dsn=f"http://public@127.0.0.1:{errors.port}/1",
    ) as deployment:
        yield deployment


def attributes(span):
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_a_request_is_a_span_of_its_callers_trace_with_its_statements_inside(traced, traces):
    app = traced.make_client("service")
    trace = "1" * 32

    answer = traced.http.post(
        "/token?hidden=1",
        data={"grant_type": "client_credentials"},
        auth=(app.client_id, app.client_secret or ""),
        headers={"traceparent": f"00-{trace}-{SPAN}-01", "x-request-id": "traced-1"},
    )

    spans = traces.wait_for(trace, "token.token")
    [request] = [span for span in spans if span.name == "token.token"]
    assert (request.kind, request.parent_span_id.hex()) == (_SERVER, SPAN)
    assert answer.headers["traceparent"] == f"00-{trace}-{request.span_id.hex()}-01"
    told = attributes(request)
    assert told.pop("request_id") == "traced-1"
    assert told == {
        "http.request.method": "POST",
        "http.route": "token.token",
        "http.response.status_code": 200,
    }
    statements = [span for span in spans if span.kind == _CLIENT]
    assert any(span.name.startswith("domain.clients.") for span in statements)
    assert {span.parent_span_id for span in statements} == {request.span_id}
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in statements)
    everything = b"".join(body for _, body in traces.posted)
    assert b"hidden" not in everything
    assert (app.client_secret or "").encode() not in everything


def lines_of(deployment, request_id):
    return [
        json.loads(line)
        for line in deployment.server.logs().splitlines()
        if '"event":"request"' in line and request_id in line
    ]


def test_the_log_names_the_same_trace(traced, traces):
    answer = traced.http.get("/health/live", headers={"x-request-id": "traced-2"})
    traced.http.get("/no-such-page", headers={"x-request-id": "traced-3"})

    assert answer.status_code == 200
    wait_for(lambda: lines_of(traced, "traced-3") != [])  # it is written when the answer has left
    [line] = lines_of(traced, "traced-3")
    spans = traces.wait_for(line["trace_id"], "unknown")
    assert attributes(spans[-1])["request_id"] == "traced-3"


def test_a_caller_who_does_not_want_a_trace_gets_none(traced, traces):
    unwanted, wanted = "2" * 32, "3" * 32

    for trace, flags in ((unwanted, "00"), (wanted, "01")):
        traced.http.get(
            "/.well-known/openid-configuration",
            headers={"traceparent": f"00-{trace}-{SPAN}-{flags}"},
        )

    traces.wait_for(wanted, "discovery.openid_configuration")
    assert traces.spans(unwanted) == []


def test_what_broke_is_told_with_its_request_and_without_anything_secret(traced, errors, tmp_path):
    app = traced.make_client("service")
    database = traced.command_line.settings["OIDC_DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(database, timeout=10) as db:
        db.execute(
            "UPDATE clients SET metadata = ? WHERE client_id = ?", ["hidden-text {", app.client_id]
        )
    db.close()

    answer = traced.http.post(
        "/token?q=hidden-query",
        data={"grant_type": "client_credentials", "scope": "hidden-body"},
        auth=(app.client_id, "hidden-secret"),
        headers={"x-request-id": "broken-1", "cookie": "a=hidden-cookie"},
    )

    assert answer.status_code == 500
    event = errors.wait_for_event()
    assert event["tags"]["request_id"] == "broken-1"
    assert event["tags"]["route"] == "token.token"
    assert event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert "hidden" not in json.dumps(event)
    assert "request" not in event
    assert "vars" not in json.dumps(event["exception"])


@pytest.mark.parametrize(
    ("module", "setting", "value", "extra", "told"),
    [
        ("opentelemetry", "OIDC_OTLP_ENDPOINT", "http://127.0.0.1:4318", "otel", OTEL_PACKAGES),
        ("sentry_sdk", "OIDC_SENTRY_DSN", "http://public@127.0.0.1/1", "sentry", SENTRY_PACKAGES),
    ],
)
def test_without_its_package_a_server_that_should_use_it_does_not_start(
    tmp_path, module, setting, value, extra, told
):
    settings = settings_for(sqlite_url(tmp_path), tmp_path, issuer="http://localhost:8000")
    program = (
        f"import sys; sys.modules[{module!r}] = None;"
        " from oidc_server.cli import main; sys.argv = ['oidc-server', 'serve']; main()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**run.clean_environment(), **settings, setting: value},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode != 0
    assert setting in ended.stderr
    assert f" {sys.executable} -m pip install {told}, " in ended.stderr
    assert set(told.split()) == packages_of(extra)
    assert "Traceback" not in ended.stderr
    assert value not in ended.stderr


def packages_of(extra):
    project = tomllib.loads(_PROJECT.read_text())["project"]
    return {line.partition(">=")[0] for line in project["optional-dependencies"][extra]}
