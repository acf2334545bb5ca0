"""`oidc-server resources`."""

import pytest

API = "https://api.example.net"


def test_a_resource_is_registered_and_listed(run):
    made = run(
        "resources", "add", API, "--name", "Ledger API", "--scope", "write read", "--json"
    ).json

    assert made == {
        "identifier": API,
        "name": "Ledger API",
        "scopes": ["read", "write"],
        "client_id": None,
        "roles": False,
    }
    assert run("resources", "list", "--json").json == [made]
    assert API in run("resources", "list").stdout


def test_a_resource_can_ask_for_the_roles_of_people(run):
    assert run("resources", "add", API, "--roles", "--json").json["roles"]


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
        (
            ("urn:b", "--scope", "roles"),
            "roles has another meaning here, and any client may ask for it.",
        ),
    ],
)
def test_a_resource_that_does_not_fit_is_refused_in_a_line(run, arguments, message):
    run("resources", "add", API)

    told = run("resources", "add", *arguments)
    answered = run("resources", "add", *arguments, "--json")

    assert (told.status, told.stderr) == (1, f"{message}\n")
    assert (answered.status, answered.json) == (1, {"error": message})
    assert len(run("resources", "list", "--json").json) == 1


def test_a_resource_names_the_client_that_serves_it(run):
    client = run("clients", "add", "--name", "Ledger", "--type", "service", "--json").json
    spa = run(
        "clients", "add", "--name", "Page", "--type", "spa",
        "--redirect-uri", "https://app.example.net/", "--json",
    ).json  # fmt: skip

    made = run("resources", "add", API, "--client", client["client_id"], "--json").json
    refused = run("resources", "add", "urn:a", "--client", spa["client_id"])
    unknown = run("resources", "add", "urn:b", "--client", "nobody")

    assert made["client_id"] == client["client_id"]
    assert (refused.status, unknown.status) == (1, 1)
    assert unknown.stderr == "There is no client nobody.\n"
    assert len(run("resources", "list", "--json").json) == 1


def test_a_resource_is_edited_and_removed(run):
    name = "https://api.example.net/"
    client = run("clients", "add", "--type", "service", "--name", "Api", "--json").json["client_id"]
    run("resources", "add", name, "--name", "Api", "--scope", "a b")

    edited = run("resources", "edit", name, "--scope", "b", "--client", client, "--roles", "--json")
    cleared = run("resources", "edit", name, "--client", "", "--no-roles", "--json")
    log = run("audit", "list", "--json", "--event", "resource.changed").json
    removed = run("resources", "remove", name, "--yes", "--json")
    again = run("resources", "remove", name, "--yes", "--json")

    assert edited.json == {
        "identifier": name,
        "name": "Api",
        "scopes": ["b"],
        "client_id": client,
        "roles": True,
    }
    assert cleared.json == {**edited.json, "client_id": None, "roles": False}
    assert log[0]["before"] == {"client_id": client, "roles": True}
    assert removed.json == {"identifier": name, "removed": True}
    assert run("resources", "list", "--json").json == []
    assert (again.status, again.json) == (1, {"error": f"There is no resource {name}."})


def test_scopes_are_all_those_that_any_option_names(run):
    made = run("resources", "add", API, "--scope", "read", "--scope", "write list", "--json").json
    client = run(
        "clients", "add", "--name", "Ledger", "--type", "service",
        "--scope", "read", "--scope", "write", "--json",
    ).json  # fmt: skip
    edited = run(
        "clients", "edit", client["client_id"], "--scope", "list", "--scope", "read", "--json"
    ).json
    role = run("roles", "add", "clerk", "--scope", "read", "--scope", "list", "--json").json
    emptied = run("resources", "edit", API, "--scope", "", "--json").json

    assert made["scopes"] == ["list", "read", "write"]
    assert client["scope"] == "read write"
    assert edited["scope"] == "list read"
    assert role["scopes"] == ["list", "read"]
    assert emptied["scopes"] == []
