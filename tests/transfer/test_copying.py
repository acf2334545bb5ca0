"""`oidc-server db copy`: SQLite to PostgreSQL and back, and nobody is signed out."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import text

from oidc_server.cli.alone import alone
from oidc_server.database import Database
from oidc_server.transfer import TransferError
from oidc_server.transfer.copying import copy
from tests.services.databases import sqlite_url
from tests.services.postgres import PostgresServer
from tests.site import settings_for
from tests.transfer.conftest import live, site_on

pytestmark = pytest.mark.slow


@pytest.fixture
def empty_postgres(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


def everything_in(path: Path) -> dict[str, list[str]]:
    """Each table's rows as SQLite itself tells them; documents have no order of their members."""
    with sqlite3.connect(path) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: sorted(
                repr([_unordered(value) for value in row])
                for row in connection.execute(f"SELECT * FROM {name}")  # noqa: S608 - ours
            )
            for name in names
        }


def _unordered(value: object) -> object:
    if isinstance(value, str) and value.startswith("{"):
        return json.dumps(json.loads(value), sort_keys=True)
    return value


def test_who_is_signed_in_on_sqlite_is_so_on_postgresql(command, empty_postgres, tmp_path):
    with site_on(sqlite_url(tmp_path), tmp_path) as site:
        life = live(site)
        keys = site.http.get("/jwks.json").json()

    done = command(
        sqlite_url(tmp_path), "db", "copy", "--to-file", "-", "--json", stdin=empty_postgres
    )

    assert done.status == 0, done.stderr
    assert done.json["ledger"] == "agrees"
    with site_on(empty_postgres, tmp_path) as site:
        party, browser = life.on(site)
        assert party.userinfo(life.tokens["access_token"]).json()["sub"] == life.person.id
        assert party.refresh(life.tokens["refresh_token"]).status_code == 200
        assert party.read(browser.go(party.url(prompt="none"))).code
        assert site.http.get("/jwks.json").json() == keys


def test_what_comes_back_from_postgresql_is_what_went_there(command, empty_postgres, tmp_path):
    with site_on(sqlite_url(tmp_path), tmp_path) as site:
        live(site)
    (tmp_path / "back").mkdir()
    back = sqlite_url(tmp_path / "back")

    there = command(sqlite_url(tmp_path), "db", "copy", "--to-file", "-", stdin=empty_postgres)
    sent = everything_in(tmp_path / "oidc.db")
    assert command(empty_postgres, "db", "copy", "--to", back).status == there.status == 0

    returned = everything_in(tmp_path / "back" / "oidc.db")
    noted = set(returned.pop("audit_events")) - set(sent.pop("audit_events"))
    assert len(noted) == 1  # that it was copied back
    assert returned == sent
    assert len(sent["credit_entries"]) == 3


def test_what_is_told_next_names_the_secret_of_now(command, monkeypatch, tmp_path):
    def told(name: str) -> str:
        (tmp_path / name).mkdir()
        copy = sqlite_url(tmp_path / name)
        done = command(sqlite_url(tmp_path), "db", "copy", "--to", copy, "--json")
        return str(done.json["next"])

    given = told("given")
    (tmp_path / "oidc.db").unlink()
    monkeypatch.delenv("OIDC_SECRET_KEY")
    made = told("made")

    assert given.endswith("and the OIDC_SECRET_KEY of now.")
    assert made.endswith(f"and OIDC_SECRET_KEY_FILE to {tmp_path / 'data' / 'secret.key'}.")


def test_nothing_is_copied_onto_people_or_under_a_server(command, fresh_database_url, tmp_path):
    (tmp_path / "empty").mkdir()
    empty = sqlite_url(tmp_path / "empty")
    with site_on(fresh_database_url, tmp_path / "data") as site:
        life = live(site)
        running = command(empty, "db", "copy", "--to-file", "-", stdin=fresh_database_url)

    used = command(empty, "db", "copy", "--to-file", "-", stdin=fresh_database_url)

    assert running.status == used.status == 1
    assert "in use: there are users" in used.stderr
    if "postgres" in fresh_database_url:
        assert "A server runs on that database" in running.stderr
    with site_on(fresh_database_url, tmp_path / "data") as site:
        assert life.on(site)[0].refresh(life.tokens["refresh_token"]).status_code == 200


def test_nothing_is_copied_from_under_a_server(command, tmp_path):
    url = sqlite_url(tmp_path)
    (tmp_path / "data").mkdir()

    with alone(settings_for(url, tmp_path / "data")):
        done = command(url, "db", "copy", "--to", "postgresql://127.0.0.1/nowhere")

    assert done.status == 1
    assert f"Another server runs on {tmp_path / 'data'};" in done.stderr


def test_nothing_is_copied_from_under_a_node_on_postgresql(command, empty_postgres, tmp_path):
    """What it writes meanwhile would be in no copy."""
    (tmp_path / "copy").mkdir()
    copy = sqlite_url(tmp_path / "copy")

    with site_on(empty_postgres, tmp_path / "data") as site:
        live(site)
        running = command(empty_postgres, "db", "copy", "--to", copy)
    stopped = command(empty_postgres, "db", "copy", "--to", copy)

    assert (running.status, stopped.status) == (1, 0), stopped.stderr
    assert "A server runs on that database" in running.stderr


def test_nothing_is_copied_if_a_node_is_started_meanwhile(empty_postgres, tmp_path):
    with site_on(empty_postgres, tmp_path / "data") as site:
        live(site)
    copied = sqlite_url(tmp_path)

    with ExitStack() as stack:
        source, target = (
            stack.enter_context(closing(Database(url))) for url in (empty_postgres, copied)
        )

        def start(_done: int, _total: int) -> None:
            stack.enter_context(Database(empty_postgres).connection())

        with pytest.raises(TransferError, match="A server runs on that database"):
            copy(source, target, start)

    assert everything_in(tmp_path / "oidc.db") == {}


def test_a_password_is_not_taken_from_a_command_line(command, tmp_path):
    done = command(
        sqlite_url(tmp_path), "db", "copy", "--to", "postgresql://me:hunter22@127.0.0.1/there"
    )

    assert done.status == 1
    assert "--to-file" in done.stderr
    assert "hunter22" not in done.stdout + done.stderr


def test_a_copy_that_is_not_the_same_is_none(command, empty_postgres, tmp_path):
    with site_on(sqlite_url(tmp_path), tmp_path) as site:
        live(site)
    assert command(empty_postgres, "db", "upgrade").status == 0
    database = Database(empty_postgres)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.username := upper(NEW.username); RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER spoils BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION spoil()"
        )

    done = command(sqlite_url(tmp_path), "db", "copy", "--to-file", "-", stdin=empty_postgres)

    assert done.status == 1
    assert "The copy of users is not what was read" in done.stderr
    with database.transaction("read") as db:
        assert db.session.scalar(text("SELECT count(*) FROM clients")) == 0
        assert db.session.scalar(text("SELECT count(*) FROM signing_keys")) == 4
    database.close()
