"""`oidc-server resources`."""

import pytest

API = "https://api.example.net"


def test_a_resource_is_registered_and_listed(run):
    made = run(
        "resources", "add", API, "--name", "Ledger API", "--scope", "write read", "--json"
    ).json

    assert made == {"identifier": API, "name": "Ledger API", "scopes": ["read", "write"]}
    assert run("resources", "list", "--json").json == [made]
    assert API in run("resources", "list").stdout


def test_a_resource_without_a_name_is_called_by_its_identifier(run):
    assert run("resources", "add", API, "--json").json["name"] == API


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((API,), f"The resource {API} exists already."),
        (("ledger",), "ledger must be an absolute URI without a fragment (RFC 8707 §2)."),
        ((f"{API}#a",), f"{API}#a must be an absolute URI without a fragment (RFC 8707 §2)."),
        (("https://[a",), "https://[a must be an absolute URI without a fragment (RFC 8707 §2)."),
        (("urn:b", "--scope", 'a"b'), 'a"b is not a scope (RFC 6749 §3.3).'),
    ],
)
def test_a_resource_that_does_not_fit_is_refused_in_a_line(run, arguments, message):
    run("resources", "add", API)

    told = run("resources", "add", *arguments)
    answered = run("resources", "add", *arguments, "--json")

    assert (told.status, told.stderr) == (1, f"{message}\n")
    assert (answered.status, answered.json) == (1, {"error": message})
    assert len(run("resources", "list", "--json").json) == 1
