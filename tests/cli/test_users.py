"""`oidc-server users` and `oidc-server setup-link`."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from hashlib import sha1
from urllib.parse import parse_qs, urlsplit

import pytest

from oidc_server.cli import users

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
        "roles": ["user"],
        "disabled": False,
        "created_at": done.json["created_at"],
    }
    assert run("users", "list", "--json").json == [done.json]


def test_an_administrator_with_a_verified_address_is_made_in_one_step(run):
    made = run(*ANN, "--admin", "--verified", "--json", stdin=PASSWORD).json

    assert (made["roles"], made["email_verified"]) == (["admin", "user"], True)


def test_the_list_is_a_table_for_people(run):
    assert run("users", "list").stdout == "There are none yet.\n"
    run(*ANN, "--admin", stdin=PASSWORD)

    heading, row = run("users", "list").stdout.splitlines()

    assert heading.split() == [
        "id", "username", "email", "email_verified", "name", "roles", "disabled", "created_at",
    ]  # fmt: skip
    assert row.split()[1:7] == ["ann", "ann@example.com", "no", "-", "admin", "user"]
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
            "The username cannot be taken (invalid): write letters, digits and ._- without spaces.",
        ),
        (
            ("--username", "eve", "--email", "example.com"),
            "The email cannot be taken (invalid): write an address like ann@example.com.",
        ),
    ],
)
def test_an_account_that_cannot_be_made_is_refused_in_a_line(run, again, message):
    run(*ANN, "--verified", stdin=PASSWORD)

    told = run("users", "add", *again, "--password-stdin", stdin=PASSWORD)
    answered = run("users", "add", *again, "--password-stdin", "--json", stdin=PASSWORD)

    assert (told.status, told.stdout, told.stderr) == (1, "", f"{message}\n")
    assert (answered.status, answered.json) == (1, {"error": message})
    assert len(run("users", "list", "--json").json) == 1


def test_a_name_that_cannot_be_is_refused_before_the_password(run):
    told = run("users", "add", "--username", "ann", "--email", "ann", "--password-stdin", stdin="x")

    assert told.stderr.startswith("The email cannot be taken (invalid)")


def test_everything_that_cannot_be_is_told_at_once(run):
    told = run(
        "users", "add", "--username", "e ve", "--email", "ann", "--birthdate", "soon",
        "--address-country", "\x07", "--password-stdin", stdin="x",
    )  # fmt: skip

    assert told.status == 1
    assert told.stderr.splitlines() == [
        "The username cannot be taken (invalid): write letters, digits and ._- without spaces.",
        "The email cannot be taken (invalid): write an address like ann@example.com.",
        "The birthdate cannot be taken (invalid): write YYYY-MM-DD, 0000-MM-DD or YYYY.",
        "The address cannot be taken (invalid).",
    ]


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "The password cannot be used: too short (at least 8 characters)."),
        ("sevench", "The password cannot be used: too short (at least 8 characters)."),
        ("password1", "The password cannot be used: too common."),
        ("ann@example.com", "The password cannot be used: contains name."),
        (b"a long enough \xff passphrase", "The password on standard input is not UTF-8."),
    ],
)
def test_a_weak_password_is_refused(run, password, message):
    done = run(*ANN, stdin=password)

    assert (done.status, done.stderr) == (1, f"{message}\n")
    assert run("users", "list", "--json").json == []


@pytest.mark.slow
def test_at_a_terminal_another_password_is_asked_for_instead_of_a_weak_one(run):
    heard, status = conversation(
        ANN[:-1],
        *(("Password: ", "password1"), ("Repeat for confirmation: ", "password1")),
        *(("Password: ", PASSWORD), ("Repeat for confirmation: ", PASSWORD)),
    )

    assert status == 0, heard
    assert heard.count("The password cannot be used: too common.") == 1
    assert [one["username"] for one in run("users", "list", "--json").json] == ["ann"]


def conversation(command, *turns):
    """Run a command at a terminal, and type each answer when its question stands there."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "oidc_server", *command]
    with subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        heard = ""
        for question, answer in turns:
            while not heard.endswith(question):
                heard += os.read(ours, 1024).decode()
            os.write(ours, f"{answer}\n".encode())
        with suppress(OSError):  # the terminal has gone with the command
            while more := os.read(ours, 1024).decode():
                heard += more
    os.close(ours)
    return heard, process.returncode


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


EVERYTHING = {
    "name": "Ann Lee",
    "given_name": "Ann",
    "family_name": "Lee",
    "middle_name": "May",
    "nickname": "Annie",
    "profile": "https://people.example.net/ann",
    "picture": "https://people.example.net/ann.png",
    "website": "https://ann.example.net/",
    "gender": "female",
    "birthdate": "1990-02-28",
    "zoneinfo": "Europe/Paris",
    "locale": "fr-FR",
    "phone_number": "+33 1 99 00 12 34",
    "address_formatted": "1 rue de la Paix\nParis",
    "address_street_address": "1 rue de la Paix",
    "address_locality": "Paris",
    "address_region": "IDF",
    "address_postal_code": "75002",
    "address_country": "FR",
}


def test_an_account_is_made_with_every_claim_in_one_step(run):
    options = [
        word
        for name, value in EVERYTHING.items()
        for word in (f"--{name.replace('_', '-')}", value)
    ]

    made = run(*ANN, *options, "--phone-number-verified", "--json", stdin=PASSWORD).json

    assert EVERYTHING.items() <= made.items()
    assert made["phone_number_verified"] is True


def test_an_account_is_edited_claim_by_claim_and_an_empty_value_removes_one(run):
    options = ("--nickname", "Annie", "--gender", "female", "--address-country", "FR")
    ann = run(*ANN, *options, "--json", stdin=PASSWORD).json

    run("users", "edit", "ann", "--nickname", "")
    edited = run("users", "edit", ann["id"], "--address-locality", "Paris", "--json").json

    assert "nickname" not in edited
    assert edited["gender"] == "female"
    assert (edited["address_country"], edited["address_locality"]) == ("FR", "Paris")


REFUSED_BIRTHDATE = (
    "The birthdate cannot be taken (invalid): write YYYY-MM-DD, 0000-MM-DD or YYYY.\n"
)


def test_what_does_not_fit_a_claim_is_said_and_nothing_is_made(run):
    refused = run(*ANN, "--birthdate", "yesterday", stdin=PASSWORD)
    unknown = run("users", "edit", "ann", "--name", "Ann")

    assert (refused.status, refused.stderr) == (1, REFUSED_BIRTHDATE)
    assert (unknown.status, unknown.stderr) == (1, "There is no account ann.\n")


def test_an_address_of_several_lines_stands_in_one_column(run):
    shown = run(*ANN, "--address-formatted", "1 Main Street\nParis", stdin=PASSWORD).stdout

    first, second = shown.splitlines()[-2:]
    assert first.index("1 Main Street") == second.index("Paris")


def test_an_account_is_made_from_a_hash_of_another_system(run):
    encoded = "pbkdf2_sha256$1000$saltySALT$iihv2X93qIrLcU/JgiraE/KqOZJEdE/7+eTPl8b8j9o="
    named = ("users", "add", "--username", "ann", "--email", "ann@example.com")

    assert run(*named, "--password-hash-stdin", "--json", stdin=f"{encoded}\n").status == 0
    refused = run(*named, "--password-hash-stdin", stdin="5f4dcc3b5aa765d61d8327deb882cf99")

    assert refused.status == 1
    assert "The hash of a password cannot be taken" in refused.stderr


def test_people_are_imported_with_their_hashes_and_profiles(run, tmp_path):
    lines = [
        {
            "username": "ann",
            "email": "ann@example.com",
            "email_verified": True,
            "name": "Ann Lee",
            "locale": "de-CH",
            "password_hash": "$2b$04$nzBTo1BXIb1DUB5VOdqbuuetMRpiegVW0jJz4sOTkeuLSFRAIoVJG",
        },
        {"username": "bob"},
    ]
    file = tmp_path / "people.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)) + "\n\n")

    done = run("users", "import", str(file), "--json")

    assert done.json == {"imported": 2}
    people = run("users", "list", "--json").json
    ann, bob = sorted(people, key=lambda person: person["username"])
    assert (ann["username"], ann["email_verified"], ann["name"]) == ("ann", True, "Ann Lee")
    assert (bob["username"], bob["email"]) == ("bob", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"username": "eve", "password_hash": "secret"}', "line 2: The hash of a password"),
        ('{"username": "ANN"}', "line 2: This username is taken."),
        ('{"username": "e v e"}', "line 2: The username cannot be taken"),
        ('{"username": "eve", "admin": true}', "line 2: admin is not known here"),
        ('{"email": "eve@example.com"}', "line 2: username is to be a text"),
        ('{"username": "eve", "email_verified": "yes"}', "line 2: email_verified is to be true"),
        ("nonsense", "line 2: "),
    ],
)
def test_an_import_takes_every_line_or_none(run, line, message):
    done = run("users", "import", "-", stdin=f'{{"username": "ann"}}\n{line}\n')

    assert done.status == 1
    assert "Nothing was imported." in done.stderr
    assert message in done.stderr
    assert run("users", "list", "--json").json == []


def test_a_list_of_leaked_passwords_is_made_and_then_refuses_them(run, tmp_path, monkeypatch):
    leaked = "tall blue heron reads"
    digest = sha1(leaked.encode(), usedforsecurity=False).hexdigest()
    file = tmp_path / "leaked"

    made = run("passwords", "build-breached-list", str(file), "--json", stdin=f"{digest}:12\n")
    monkeypatch.setenv("OIDC_BREACHED_PASSWORDS_LIST", str(file))
    refused = run(*ANN, stdin=leaked)

    assert made.json == {"file": str(file), "passwords": 1}
    assert refused.status == 1
    assert "breached" in refused.stderr
    assert run(*ANN, stdin=PASSWORD).status == 0


def test_what_is_done_to_an_account_is_in_the_audit_log_with_what_was_before(run):
    run(*ANN, "--admin", "--nickname", "Annie", stdin=PASSWORD)
    run("users", "edit", "ann", "--nickname", "Nan")

    edited, given, created, *_ = run("audit", "list", "--json").json

    assert created["event"] == "user.created"
    assert (given["event"], given["detail"]) == ("role.given", {"role": "admin"})
    assert (edited["event"], edited["before"], edited["after"]) == (
        "user.edited",
        {"nickname": "Annie"},
        {"nickname": "Nan"},
    )


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_accounts_are_listed_in_batches_each_of_them_once(run, monkeypatch, at_once):
    nobody = run("users", "list", "--json"), run("users", "list")
    for name in ("cleo", "ann", "ben"):
        run("users", "add", "--username", name, "--email", f"{name}@example.com", "--admin",
            "--password-stdin", stdin=PASSWORD)  # fmt: skip
    monkeypatch.setattr(users, "_AT_ONCE", at_once)

    listed, shown = run("users", "list", "--json"), run("users", "list")

    assert nobody[0].json == []
    assert nobody[1].stdout == "There are none yet.\n"
    assert [row["username"] for row in listed.json] == ["ann", "ben", "cleo"]
    assert {tuple(row["roles"]) for row in listed.json} == {("admin", "user")}
    assert len(listed.stdout.splitlines()) == 5
    assert [line.split()[1] for line in shown.stdout.splitlines()] == [
        "username", "ann", "ben", "cleo"
    ]  # fmt: skip
