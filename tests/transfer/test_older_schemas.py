"""A program of now on a schema of before: commands that do not upgrade leave it to those who do."""

import pytest

from oidc_server import resources, schema
from oidc_server.database import Database
from tests.services.databases import sqlite_url

HEAD = resources.newest_migration()
BEFORE = f"{int(HEAD) - 1:04}"
PASSWORD = "a long enough passphrase"
REFUSED = [
    ("users", "list"),
    ("users", "show", "ann"),
    ("clients", "list"),
    ("keys", "list"),
    ("keys", "rotate"),
    ("roles", "list"),
    ("providers", "list"),
    ("credits", "reconcile"),
    ("audit", "list"),
    ("audit", "export", "--format", "csv"),
    ("export", "-"),
    ("import", "-"),
    ("users", "import", "-"),
    ("setup-link",),
    ("resources", "add", "https://api.example.net"),
    ("users", "add", "--username", "ann", "--email", "ann@example.com", "--password-stdin"),
]


@pytest.fixture
def old_url(fresh_database_url):
    """A database of the schema before ours."""
    database = Database(fresh_database_url)
    with database.connection() as connection:
        schema.migrate(connection, BEFORE)
    yield fresh_database_url
    database.close()


def version_of(url):
    database = Database(url)
    with database.connection() as connection, connection.begin():
        found = schema.version(connection)
    database.close()
    return found


def test_no_command_but_an_upgrade_changes_an_older_schema(command, old_url, tmp_path):
    (tmp_path / "other").mkdir()
    copy = ("db", "copy", "--to", sqlite_url(tmp_path / "other"))
    told = (
        f"The database is at {BEFORE}, and this program needs {HEAD}. Bring it up with:"
        " oidc-server db upgrade (db status tells whether older nodes go on).\n"
    )

    for words in (*REFUSED, copy):
        done = command(old_url, *words, stdin=f"{PASSWORD}\n")
        assert (done.status, done.stdout, done.stderr) == (1, "", told), words

    assert version_of(old_url) == BEFORE
    assert not list(tmp_path.rglob("*.bak"))


def test_those_that_only_ask_how_it_is_go_on_and_leave_it(command, old_url):
    done = [
        command(old_url, "db", "status"),
        command(old_url, "backup", "one.backup"),
        command(old_url, "doctor"),
    ]

    assert [one.status for one in done] == [0, 0, 1]
    assert version_of(old_url) == BEFORE


def test_an_upgrade_brings_it_up_and_then_every_command_goes_on(command, old_url):
    upgraded = command(old_url, "db", "upgrade")
    listed = command(old_url, "users", "list")

    assert (upgraded.status, listed.status) == (0, 0)
    assert version_of(old_url) == HEAD


@pytest.mark.parametrize("words", [REFUSED[0], REFUSED[-1]], ids=" ".join)
def test_whatever_command_meets_an_empty_database_makes_its_tables(
    command, fresh_database_url, words
):
    done = command(fresh_database_url, *words, stdin=f"{PASSWORD}\n")

    assert done.status == 0
    assert done.stderr.startswith("This database is new: ")
    assert version_of(fresh_database_url) == HEAD
