"""`oidc-server providers`."""

import time

import pytest

from tests.services.provider import running_provider

ISSUER = "https://localhost:9"
"""Nobody answers there, and no name has to be resolved."""
ADD = ("providers", "add", "acme", "--issuer", ISSUER, "--client-id", "us")


def add(run, *options, name="acme", issuer=ISSUER, secret="a secret"):
    words = ("providers", "add", name, "--issuer", issuer, "--client-id", "us")
    return run(*words, "--secret-stdin", *options, "--json", stdin=secret + "\n")


def test_a_provider_is_added_listed_changed_and_removed(run):
    made = add(run, "--label", "Acme Inc.").json

    assert made == {
        "name": "acme",
        "label": "Acme Inc.",
        "issuer": ISSUER,
        "client_id": "us",
        "auth_method": "client_secret_basic",
        "scope": "openid profile email",
        "trusts_email": False,
        "sign_up": True,
        "enabled": True,
        "connected": 0,
        "redirect_uri": "http://localhost:8000/login/providers/acme/callback",
    }
    changed = run("providers", "edit", "acme", "--trust-email", "--no-sign-up", "--json").json
    assert changed == made | {"trusts_email": True, "sign_up": False}
    assert run("providers", "disable", "acme", "--json").json["enabled"] is False
    assert run("providers", "enable", "acme", "--json").json["enabled"] is True
    assert run("providers", "list", "--json").json == [changed]
    gone = run("providers", "remove", "acme", "--yes", "--json").json
    assert gone == {"name": "acme", "removed": True, "disconnected": 0}
    assert run("providers", "list", "--json").json == []


def test_the_secret_is_shown_nowhere(run, data_dir):
    told = add(run, secret="hunter2-of-acme")

    shown = told.stdout + told.stderr + run("providers", "list").stdout
    assert "hunter2" not in shown + run("audit", "list", "--json").stdout
    assert b"hunter2" not in (data_dir / "oidc.db").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("--scope", "profile"), "The scope is words with spaces between, openid among them."),
        (("--label", " "), "The label has 1 to 40 characters."),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(run, changes, message):
    told = run(*ADD, "--secret-stdin", *changes, stdin="a secret\n")

    assert (told.status, told.stderr) == (1, f"{message}\n")


def test_one_that_does_not_answer_is_added_with_a_warning(run):
    told = add(run)

    assert (told.status, told.json["enabled"]) == (0, True)
    assert told.stderr.startswith(
        f"Nobody can sign in with acme now: {ISSUER} does not answer as a provider ("
    )
    assert told.stderr.endswith("). If that is not its issuer, remove it and add it anew.\n")


def test_one_that_answers_is_added_without_a_word_and_doctor_asks_each_that_is_enabled(run):
    with running_provider(time.time) as provider:
        words = (*ADD[:4], provider.issuer, *ADD[5:])
        added = run(*words, "--auth-method", "none", "--secret-stdin")
        add(run, name="away")
        add(run, name="off", issuer="https://localhost:10")
        run("providers", "disable", "off")

        found = looked_at(run)
        provider.metadata["issuer"] = "https://else.example"
        misled = looked_at(run)

    assert (added.status, added.stderr) == (0, "")
    assert found["provider acme"] == ("ok", f"It answers at {provider.issuer}.")
    result, told = found["provider away"]
    assert result == "warn"
    assert told.startswith(
        f"Nobody can sign in with away now: {ISSUER} does not answer as a provider ("
    )
    assert told.endswith("; oidc-server providers disable away takes its button away.")
    assert "provider off" not in found
    assert "(the metadata is of another issuer);" in misled["provider acme"][1]


def looked_at(run):
    rows = run("doctor", "--json").json
    return {row["check"]: (row["result"], row["finding"]) for row in rows}


@pytest.mark.parametrize("name", ["Acme", "new", "connect", "a b", "", "a-", "a" * 41])
def test_a_name_that_no_address_can_have(run, name):
    told = run(
        "providers", "add", name, "--issuer", ISSUER, "--client-id", "us", "--auth-method", "none"
    )

    assert told.status == 1
    assert told.stderr.startswith("The name has up to 40")


def test_one_provider_for_an_issuer(run):
    add(run)

    again = run("providers", "add", "other", *ADD[3:], "--auth-method", "none")

    assert (again.status, again.stderr) == (1, f"There is a provider for {ISSUER} already.\n")


def test_a_provider_that_nobody_knows(run):
    told = run("providers", "disable", "acme")

    assert (told.status, told.stderr) == (1, "There is no provider called acme.\n")


def test_no_secret_without_a_word(run):
    told = run(*ADD)

    assert told.status == 1
    assert "--secret-stdin" in told.stderr
