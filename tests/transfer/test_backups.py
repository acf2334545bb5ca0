"""`oidc-server backup` and `restore`: all is back, and nothing opens that was given out before."""

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path

import pyrage
import pytest

from oidc_server import schema
from oidc_server.database import Database
from oidc_server.settings import ensure_secret_key
from tests.authentication.forms import new_browser
from tests.browser import Browser
from tests.factors import first_step, second_step
from tests.services.databases import sqlite_url
from tests.transfer.conftest import KEY, PUBLIC_KEY, SECRET, live, site_on

pytestmark = pytest.mark.slow


def other_url(url: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of the other kind."""
    if url.startswith("postgresql"):
        (folder / "other").mkdir()
        yield sqlite_url(folder / "other")
        return
    server = request.getfixturevalue("postgres")
    other = server.create_database()
    yield other
    server.drop_database(other)


@pytest.fixture
def other_database_url(fresh_database_url, tmp_path, request):
    yield from other_url(fresh_database_url, tmp_path, request)


def content_of(file: Path) -> list[str]:
    """What anybody reads in it who has the key, with tools of others."""
    opened = pyrage.decrypt(file.read_bytes(), [pyrage.x25519.Identity.from_str(KEY)])
    return gzip.decompress(opened).decode().splitlines()


def ask_for_a_new_password(site, person):
    browser = Browser(site.browser(), site.issuer)
    assert browser.send(browser.go("/password-reset"), username=person.username).status_code == 200


@pytest.mark.postgres
def test_what_was_given_out_before_a_restore_is_dead_and_who_was_there_signs_in_again(
    command, fresh_database_url, other_database_url, tmp_path
):
    with site_on(fresh_database_url, tmp_path / "data") as site:
        life = live(site)
        kids = {key["kid"] for key in site.http.get("/jwks.json").json()["keys"]}
        party, browser = life.on(site)
        assert party.userinfo(life.tokens["access_token"]).status_code == 200
        ask_for_a_new_password(site, life.person)
        made = command(fresh_database_url, "backup", "one.backup", "--json")
    assert made.status == 0, made.stderr

    done = command(other_database_url, "restore", "one.backup", "--json")

    assert done.status == 0, done.stderr
    assert done.json["rows"] == made.json["rows"]
    assert done.json["ledger"] == "agrees"
    assert [done.json[name] for name in ("links_withdrawn", "mails_not_sent")] == [1, 1]
    assert [done.json[name] for name in ("sessions_ended", "grants_revoked")] == [1, 2]
    assert "server.restored" in command(other_database_url, "audit", "list").stdout
    with site_on(other_database_url, tmp_path / "data") as site:
        party, browser = life.on(site)
        assert party.userinfo(life.tokens["access_token"]).status_code == 401
        assert party.refresh(life.tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert party.redeem(life.code).json()["error"] == "invalid_grant"
        assert party.read(browser.go(party.url(prompt="none"))).error == "login_required"
        new = {key["kid"] for key in site.http.get("/jwks.json").json()["keys"]}
        assert len(new) == len(kids)
        assert not new & kids
        app = replace(life.authenticator, site=site)
        browser, page = first_step(site, life.person)
        assert second_step(browser, page, app.code()).status_code == 401  # may be used up
        app.wait()
        assert second_step(browser, page, app.wait()).status_code == 303
        answer = party.read(browser.go(party.url(prompt="none")))
        assert party.redeem(answer.code).status_code == 200


def test_a_file_that_is_damaged_or_for_another_key_changes_nothing(
    command, fresh_database_url, tmp_path, monkeypatch
):
    with site_on(fresh_database_url, tmp_path / "data") as site:
        life = live(site)
    assert command(fresh_database_url, "backup", "one.backup").status == 0
    good = Path("one.backup").read_bytes()
    middle = len(good) // 2
    changed = bytes([good[middle] ^ 1])
    for name, content in {
        "changed": good[:middle] + changed + good[middle + 1 :],
        "cut off": good[:-40],
        "no backup": b"{}\n",
        "empty": b"",
        "longer": good + b"x",
        "header": good.replace(b"X25519 ", b"X25519 A", 1),
    }.items():
        Path(name).write_bytes(content)
        done = command(fresh_database_url, "restore", name, "--replace")
        assert done.status == 1, name
        assert "backup" in done.stderr, name
    used = command(fresh_database_url, "restore", "one.backup")
    monkeypatch.setenv("OIDC_BACKUP_KEY", str(pyrage.x25519.Identity.generate()))
    foreign = command(fresh_database_url, "restore", "one.backup", "--replace")

    assert [used.status, foreign.status] == [1, 1]
    assert used.stderr.endswith(
        "The database is in use: there are users. --replace deletes all that is in it first.\n"
    )
    assert "The key is not the one of this backup." in foreign.stderr
    with site_on(fresh_database_url, tmp_path / "data") as site:
        assert life.on(site)[0].refresh(life.tokens["refresh_token"]).status_code == 200


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(
    command, fresh_database_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("OIDC_BACKUP_KEY", PUBLIC_KEY)
    with site_on(fresh_database_url, tmp_path / "data") as site:
        life = live(site)
    database = Database(fresh_database_url)
    with database.connection() as connection:
        schema.downgrade(connection, "0016")
    made = command(fresh_database_url, "backup", "old.backup", "--json")
    assert made.json["schema"] == "0016"
    monkeypatch.setenv("OIDC_BACKUP_KEY", KEY)
    with database.connection() as connection:
        schema.migrate(connection)

    done = command(fresh_database_url, "restore", "old.backup", "--replace", "--json")

    assert done.status == 0, done.stderr
    with site_on(fresh_database_url, tmp_path / "data") as site:
        party, _ = life.on(site)
        assert party.userinfo(life.tokens["access_token"]).status_code == 401
        assert party.authorize(new_browser(site), life.person).code
    database.close()


def test_a_backup_opens_with_a_passphrase_and_the_tools_of_others(command, tmp_path, monkeypatch):
    monkeypatch.setenv("OIDC_BACKUP_KEY", "nine lighthouses in a bottle")
    url = sqlite_url(tmp_path)
    assert command(url, "db", "upgrade").status == 0

    done = command(url, "backup", "one.backup", "--json")

    file = Path("one.backup")
    assert file.stat().st_mode & 0o777 == 0o600
    lines = gzip.decompress(
        pyrage.passphrase.decrypt(file.read_bytes(), "nine lighthouses in a bottle")
    ).splitlines()
    head = json.loads(lines[0])
    assert head["format"] == "oidc-server backup 1"
    assert head["secrets"] == [SECRET]
    assert json.loads(lines[-1]) == {"end": "backup", "rows": done.json["rows"]}
    assert [json.loads(line) for line in done.stderr.splitlines()] == [
        {"progress": "backup", "done": head["rows"], "of": head["rows"]}
    ]
    again = command(url, "backup", "one.backup")
    assert again.status == 1
    assert "is there already" in again.stderr
    astray = command(url, "backup", "nowhere/one.backup")
    assert (astray.status, astray.stderr) == (1, "There is no folder nowhere.\n")
    assert "server.backed_up" in command(url, "audit", "list").stdout


def test_a_server_with_another_secret_learns_that_of_the_backup(command, tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    with site_on(sqlite_url(first), first, secret="the secret of a server that burnt down") as site:
        life = live(site)
    monkeypatch.setenv("OIDC_SECRET_KEY", "the secret of a server that burnt down")
    assert command(sqlite_url(first), "backup", "one.backup").status == 0
    monkeypatch.setenv("OIDC_SECRET_KEY", "a new secret that was set for the new server")
    second.mkdir()

    refused = command(sqlite_url(second), "restore", "one.backup")
    told = command(sqlite_url(second), "restore", "one.backup", "--secret-to", "secret.txt")
    monkeypatch.delenv("OIDC_SECRET_KEY")
    done = command(sqlite_url(second), "restore", "one.backup", "--json")

    assert [refused.status, told.status] == [1, 0]
    assert "--secret-to" in refused.stderr
    assert Path("secret.txt").read_text() == "the secret of a server that burnt down\n"
    assert Path("secret.txt").stat().st_mode & 0o777 == 0o600
    assert done.status == 0, done.stderr
    secrets = ensure_secret_key(tmp_path / "data")
    assert len(secrets) == 2
    with site_on(sqlite_url(second), second, secret=secrets) as site:
        app = replace(life.authenticator, site=site)
        browser, page = first_step(site, life.person)
        app.wait()
        app.wait()
        assert second_step(browser, page, app.code()).status_code == 303


def test_nothing_is_restored_whose_secret_cannot_be_kept(command, tmp_path, monkeypatch):
    """What is sealed in it would open nowhere."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    with site_on(sqlite_url(first), first, secret="the secret of a server that burnt down") as site:
        live(site)
    monkeypatch.setenv("OIDC_SECRET_KEY", "the secret of a server that burnt down")
    assert command(sqlite_url(first), "backup", "one.backup").status == 0
    monkeypatch.delenv("OIDC_SECRET_KEY")
    second.mkdir()
    own = ensure_secret_key(tmp_path / "data")

    def full(_file: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        refused = command(sqlite_url(second), "restore", "one.backup")

    assert refused.status == 1
    assert "No space left" in refused.stderr
    assert ensure_secret_key(tmp_path / "data") == own
    assert command(sqlite_url(second), "users", "list", "--json").json == []


def test_without_a_key_nothing_is_written(command, tmp_path, monkeypatch):
    monkeypatch.delenv("OIDC_BACKUP_KEY")
    url = sqlite_url(tmp_path)

    unasked = command(url, "backup", "one.backup")
    monkeypatch.setenv("OIDC_BACKUP_KEY", "too short")
    short = command(url, "backup", "one.backup")

    assert [unasked.status, short.status] == [1, 1]
    assert "OIDC_BACKUP_KEY_FILE" in unasked.stderr
    assert "15 characters" in short.stderr
    assert not Path("one.backup").exists()
