"""A program of before on a schema that a newer one made: it goes on, and leaves nothing out."""

import sqlite3
from contextlib import closing

import pytest

from oidc_server import resources, schema
from oidc_server.database import Database
from tests.services.databases import sqlite_url
from tests.transfer.conftest import KEY

HEAD = resources.newest_migration()


@pytest.fixture
def url(ready_databases, request, tmp_path):
    with ready_databases.copy(request, "sqlite", tmp_path) as url:
        yield url


def make_newer(url, oldest_program):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
        newer = "UPDATE alembic_version SET version_num = '9999', oldest_program = ?"
        database.execute(newer, (oldest_program,))


def test_commands_go_on_and_those_that_need_every_table_refuse(command, url, tmp_path, monkeypatch):
    monkeypatch.setenv("OIDC_BACKUP_KEY", KEY)
    (tmp_path / "other").mkdir()
    empty = sqlite_url(tmp_path / "other")
    assert command(url, "backup", "one.backup").status == 0
    make_newer(url, HEAD)

    listed = command(url, "users", "list")
    upgraded = command(url, "db", "upgrade", "--json")
    told = command(url, "db", "status", "--json").json
    refused = [
        command(url, "backup", "two.backup"),
        command(url, "db", "copy", "--to", empty),
        command(url, "restore", "one.backup", "--replace"),
    ]

    assert (listed.status, upgraded.status) == (0, 0)
    assert told == {
        "schema": "9999",
        "newest_known": HEAD,
        "next": "this version goes on; replace it",
        "both_go_on": True,
    }
    for done in refused:
        assert done.status == 1
        assert f"at 9999, which a newer oidc-server made; this one knows {HEAD}" in done.stderr
    assert not (tmp_path / "two.backup").exists()


def test_where_it_may_not_go_on_no_command_does(command, url):
    make_newer(url, "9999")

    done = [command(url, "users", "list"), command(url, "db", "upgrade")]
    told = command(url, "db", "status", "--json").json

    assert (told["both_go_on"], told["next"][:26]) == (False, "this version cannot go on;")
    assert [one.status for one in done] == [1, 1]
    assert all("which a newer oidc-server made" in one.stderr for one in done)


@pytest.mark.parametrize(
    ("at", "both_go_on", "then"),
    [
        (None, True, "nothing to mind"),
        ("0029", False, "upgrade at a quiet hour; older nodes are not ready any more"),
        (HEAD, True, "nothing to mind"),
    ],
)
def test_what_an_upgrade_means_for_nodes_that_run_is_told_before(
    command, tmp_path, at, both_go_on, then
):
    url = sqlite_url(tmp_path)
    if at is not None:
        database = Database(url)
        with database.connection() as connection:
            schema.migrate(connection, at)
        database.close()

    told = command(url, "db", "status", "--json").json

    assert (told["schema"], told["newest_known"]) == (at or "none", HEAD)
    assert told["both_go_on"] == both_go_on
    assert told["next"].startswith(then)
