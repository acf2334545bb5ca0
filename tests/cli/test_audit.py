"""`oidc-server audit`."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from oidc_server.domain.audit import Event
from tests.cli.conftest import Run


def test_what_commands_do_is_listed_newest_first(run: Run) -> None:
    run("clients", "add", "--type", "service", "--name", "Till")
    run("resources", "add", "https://api.example.net/")

    shown = run("audit", "list").stdout
    resource, client, *_ = run("audit", "list", "--json").json

    assert shown.index("resource.created") < shown.index("client.created")
    assert (resource["event"], resource["actor"]) == ("resource.created", "command_line")
    assert resource["detail"] == {"resource": "https://api.example.net/"}
    assert client["client_id"]


def test_filters_narrow(run: Run) -> None:
    made = run("clients", "add", "--type", "service", "--name", "Till", "--json").json
    run("clients", "add", "--type", "service", "--name", "Shop")

    of_one = run("audit", "list", "--json", "--client", made["client_id"]).json
    of_event = run("audit", "list", "--json", "--event", "client.created", "--limit", "1").json
    of_future = run("audit", "list", "--json", "--since", "2100-01-01").json
    of_nobody = run("audit", "list", "--json", "--user", "nobody")

    assert [row["client_id"] for row in of_one] == [made["client_id"]]
    assert len(of_event) == 1
    assert of_future == []
    assert (of_nobody.status, of_nobody.json) == (1, {"error": "There is no account nobody."})


@pytest.mark.parametrize("since", ["{:%Y-%m-%dT%H:%M:%S}", "{:%Y-%m-%dT%H:%M:%SZ}", "{:%F}"])
def test_a_moment_is_of_utc(run: Run, since: str) -> None:
    run("roles", "add", "clerk")
    earlier = datetime.now(UTC) - timedelta(minutes=5)

    assert run("audit", "list", "--json", "--since", since.format(earlier)).json


def test_a_moment_may_name_its_zone(run: Run) -> None:
    run("roles", "add", "clerk")
    there = timezone(timedelta(hours=5))
    moments = [datetime.now(there) + timedelta(minutes=minutes) for minutes in (-5, 5)]

    found = [run("audit", "list", "--json", "--since", str(moment)).json for moment in moments]

    assert [bool(events) for events in found] == [True, False]


def test_what_is_no_moment_is_refused_with_an_example(run: Run) -> None:
    told = run("audit", "list", "--since", "yesterday")

    assert told.status == 2
    assert "Invalid value for '--since': write 2026-01-31, or" in told.stderr


@pytest.mark.parametrize("command", ["list", "export"])
def test_an_event_that_there_is_not_is_told_with_those_that_are_close(
    run: Run, command: str
) -> None:
    close = run("audit", command, "--event", "client.create")
    far = run("audit", command, "--event", "nope")

    assert (close.status, far.status) == (2, 2)
    assert "there is no event client.create. Did you mean client.created or" in close.stderr
    assert "there is no event nope. All of them: oidc-server audit events\n" in far.stderr
    assert len(far.stderr) < 250


def test_all_events_are_listed(run: Run) -> None:
    told = run("audit", "events", "--json").json

    assert [row["event"] for row in told] == list(Event)
    assert "sign_in.failed\n" in run("audit", "events").stdout


def test_an_export_goes_to_standard_output(run: Run) -> None:
    run("clients", "add", "--type", "service", "--name", "Till")

    lines = run("audit", "export", "--event", "client.created").stdout
    table = run("audit", "export", "--format", "csv", "--event", "client.created").stdout

    [row] = [json.loads(line) for line in lines.splitlines()]
    [told] = csv.DictReader(io.StringIO(table))
    assert told["id"] == row["id"]
    assert told["event"] == row["event"] == "client.created"
