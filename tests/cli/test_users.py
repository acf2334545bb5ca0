"""`oidc-server users` and `oidc-server setup-link`."""

from urllib.parse import parse_qs, urlsplit

import pytest

PASSWORD = "a long enough passphrase"
ANN = ("users", "add", "--username", "ann", "--email", "ann@example.com", "--password-stdin")


def test_an_account_is_made_from_a_password_on_standard_input(run):
    done = run(*ANN, "--name", "Ann Lee", "--json", stdin=f"{PASSWORD}\n")

    assert done.status == 0
    assert done.json == {
        "id": done.json["id"],
        "username": "ann",
        "email": "ann@example.com",
        "email_verified": False,
        "name": "Ann Lee",
        "roles": [],
        "disabled": False,
        "created_at": done.json["created_at"],
    }
    assert run("users", "list", "--json").json == [done.json]


def test_an_administrator_with_a_verified_address_is_made_in_one_step(run):
    made = run(*ANN, "--admin", "--verified", "--json", stdin=PASSWORD).json

    assert (made["roles"], made["email_verified"]) == (["admin"], True)


def test_the_list_is_a_table_for_people(run):
    assert run("users", "list").stdout == "There are none yet.\n"
    run(*ANN, "--admin", stdin=PASSWORD)

    heading, row = run("users", "list").stdout.splitlines()

    assert heading.split() == [
        "id", "username", "email", "email_verified", "name", "roles", "disabled", "created_at",
    ]  # fmt: skip
    assert row.split()[1:7] == ["ann", "ann@example.com", "no", "-", "admin", "no"]
    assert heading.index("username") == row.index("ann")


@pytest.mark.parametrize(
    ("again", "message"),
    [
        (("--username", "Ann", "--email", "eve@example.com"), "This username is taken."),
        (
            ("--username", "eve", "--email", "ANN@example.com", "--verified"),
            "This address belongs to another account.",
        ),
        (
            ("--username", "e ve", "--email", "eve@example.com"),
            "The username cannot be taken (invalid).",
        ),
        (("--username", "eve", "--email", "example.com"), "The email cannot be taken (invalid)."),
    ],
)
def test_an_account_that_cannot_be_made_is_refused_in_a_line(run, again, message):
    run(*ANN, "--verified", stdin=PASSWORD)

    told = run("users", "add", *again, "--password-stdin", stdin=PASSWORD)
    answered = run("users", "add", *again, "--password-stdin", "--json", stdin=PASSWORD)

    assert (told.status, told.stdout, told.stderr) == (1, "", f"{message}\n")
    assert (answered.status, answered.json) == (1, {"error": message})
    assert len(run("users", "list", "--json").json) == 1


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "The password cannot be used: too short."),
        ("sevench", "The password cannot be used: too short."),
        ("password1", "The password cannot be used: too common."),
        ("ann@example.com", "The password cannot be used: contains name."),
        (b"a long enough \xff passphrase", "The password on standard input is not UTF-8."),
    ],
)
def test_a_weak_password_is_refused(run, password, message):
    done = run(*ANN, stdin=password)

    assert (done.status, done.stderr) == (1, f"{message}\n")
    assert run("users", "list", "--json").json == []


def test_a_password_is_never_an_argument(run):
    done = run("users", "add", "--help")

    assert "--password-stdin" in done.stdout
    assert "--password " not in done.stdout
    assert run(*ANN, "--password", PASSWORD).status == 2


def test_without_a_terminal_the_password_has_to_be_announced(run):
    done = run(*ANN[:-1], stdin=PASSWORD)

    assert done.status == 1
    assert "--password-stdin" in done.stderr


def test_a_missing_option_is_named(run):
    done = run("users", "add", "--username", "ann")

    assert done.status == 2
    assert "--email" in done.stderr


def test_the_setup_link_stays_the_same_until_it_is_used(run):
    link = run("setup-link", "--json").json["setup_link"]

    parts = urlsplit(link)

    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://localhost:8000/setup"
    assert list(parse_qs(parts.query)) == ["link"]
    assert link in run("setup-link").stdout


def test_the_setup_link_ends_with_the_first_administrator(run):
    run(*ANN, stdin=PASSWORD)
    assert run("setup-link").status == 0
    run("users", "add", "--username", "bob", "--email", "bob@example.com", "--admin",
        "--password-stdin", stdin=PASSWORD)  # fmt: skip

    done = run("setup-link", "--json")

    assert done.status == 1
    assert done.json == {"error": "This server is set up: there is an administrator."}
