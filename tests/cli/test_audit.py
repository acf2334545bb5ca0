"""`oidc-server audit`."""

import csv
import io
import json

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


def test_an_export_goes_to_standard_output(run: Run) -> None:
    run("clients", "add", "--type", "service", "--name", "Till")

    lines = run("audit", "export", "--event", "client.created").stdout
    table = run("audit", "export", "--format", "csv", "--event", "client.created").stdout

    [row] = [json.loads(line) for line in lines.splitlines()]
    [told] = csv.DictReader(io.StringIO(table))
    assert told["id"] == row["id"]
    assert told["event"] == row["event"] == "client.created"
