"""`oidc-server registration-tokens`."""

import re

import pytest


def test_a_token_is_shown_once(run):
    made = run(
        "registration-tokens", "create", "--uses", "3", "--expires", "12h", "--scope", "b a",
        "--json",
    ).json  # fmt: skip
    listed = run("registration-tokens", "list", "--json")

    text = made.pop("initial_access_token")
    assert len(text) >= 43
    assert text not in listed.stdout
    assert listed.json == [made]
    assert {name: made[name] for name in ("uses", "used", "scope", "revoked")} == {
        "uses": 3,
        "used": 0,
        "scope": "a b",
        "revoked": False,
    }


def test_a_token_ends_when_it_is_revoked(run):
    token_id = run("registration-tokens", "create", "--json").json["id"]

    done = run("registration-tokens", "revoke", token_id, "--json")

    assert done.json["revoked"] is True
    assert [row["revoked"] for row in run("registration-tokens", "list", "--json").json] == [True]


@pytest.mark.parametrize("token_id", ["nothing", "019b8d62-7a80-73a1-acf1-88f9fcf744e7"])
def test_a_token_that_is_not_there_is_named(run, token_id):
    done = run("registration-tokens", "revoke", token_id, "--json")

    assert (done.status, done.json) == (1, {"error": f"There is no registration token {token_id}."})


@pytest.mark.parametrize(
    "options",
    [("--uses", "0"), ("--expires", "0s"), ("--expires", "401d"), ("--expires", "soon")],
)
def test_a_token_without_use_or_end_is_refused(run, options):
    assert run("registration-tokens", "create", *options).status == 2
    assert run("registration-tokens", "list", "--json").json == []


def test_a_scope_that_is_none_is_refused(run):
    done = run("registration-tokens", "create", "--scope", 'a"b')

    assert (done.status, done.stderr) == (1, 'a"b is not a scope (RFC 6749 §3.3).\n')


def test_a_token_that_nobody_can_use_yet_says_so(run, monkeypatch):
    closed = run("registration-tokens", "create")
    monkeypatch.setenv("OIDC_REGISTRATION", "token")
    in_use = run("registration-tokens", "create")

    assert closed.stderr == "No application registers itself yet: set OIDC_REGISTRATION=token.\n"
    assert (closed.status, in_use.stderr) == (0, "")
    assert re.search(r"^scope +-$", in_use.stdout, re.MULTILINE)
