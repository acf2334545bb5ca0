"""Migrations on a database that is in use: up, down and up again, and nothing is lost."""

import os
import sqlite3

import pytest
from sqlalchemy import text

from oidc_server import domain, resources, schema
from oidc_server.database import Database
from oidc_server.domain import clients, restoration, signing_keys
from oidc_server.security.encryption import Vault
from tests.browser import Browser
from tests.relying_party import RelyingParty, signed_in
from tests.services.databases import sqlite_url
from tests.site import BEGINNING, Site, running_site, settings_for

TABLES = ("users", "clients", "client_secrets", "user_sessions", "grants", "refresh_tokens")
FIRST = "0001"
FIRST_THAT_TELLS = "0030"


def rows(site: Site) -> dict[str, int]:
    with site.runtime.database.connection() as connection:
        return {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - ours
            for table in TABLES
        }


@pytest.mark.slow
def test_every_migration_can_be_taken_back_and_done_again_with_rows_in_place(
    fresh_database_url, tmp_path
):
    with running_site(settings_for(fresh_database_url, tmp_path)) as site:
        signed_in(site)
        before = rows(site)

        with site.runtime.database.connection() as connection:
            schema.downgrade(connection, FIRST)
        taken_back = rows(site)
        with site.runtime.database.connection() as connection:
            schema.migrate(connection)

        assert min(before.values()) == 1
        assert taken_back == before
        assert rows(site) == before
        assert references_that_lead_nowhere(site) == []
        with site.db() as db:
            assert len(clients.page(db, clients.Wanted(search="LED"), 10).clients) == 1


@pytest.mark.slow
def test_who_was_signed_in_before_an_upgrade_is_so_afterwards(fresh_database_url, tmp_path):
    settings = settings_for(fresh_database_url, tmp_path)
    with running_site(settings) as site:
        party, browser, _, tokens = signed_in(site, skip_consent=True)
        with site.runtime.database.connection() as connection:
            schema.downgrade(connection, FIRST)
        app, cookies = party.app, dict(browser.client.cookies)

    with running_site(settings) as site:
        client = site.browser()
        client.cookies.update(cookies)
        party = RelyingParty(site, app)
        answer = party.read(Browser(client, site.issuer).go(party.url(prompt="none")))

        assert party.refresh(tokens["refresh_token"]).status_code == 200
        assert party.redeem(answer.code).status_code == 200


def references_that_lead_nowhere(site: Site) -> list[tuple[str, ...]]:
    """Where a table was made anew, SQLite has forgotten to look."""
    if not site.runtime.database.is_sqlite:
        return []
    with site.runtime.database.connection() as connection:
        return [tuple(row) for row in connection.execute(text("PRAGMA foreign_key_check"))]


def test_the_newest_migration_is_what_a_fresh_database_has(site: Site):
    with site.runtime.database.connection() as connection:
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))

    assert version == resources.newest_migration()


def test_it_is_decided_for_every_table_what_a_restored_database_keeps_of_it():
    every = set(domain.Base.metadata.tables)

    assert every >= restoration.KEPT_AS_IT_WAS
    assert every - restoration.KEPT_AS_IT_WAS == restoration.ENDED, "see domain/restoration.py"


@pytest.mark.slow
def test_a_sqlite_database_is_copied_before_it_is_upgraded(tmp_path):
    url = sqlite_url(tmp_path)
    settings, newest = settings_for(url, tmp_path), resources.newest_migration()
    with running_site(settings) as site:
        signed_in(site)
        assert not list(tmp_path.glob("*.bak"))  # a first start has nothing to lose
        with site.runtime.database.connection() as connection:
            schema.downgrade(connection, "0016")
    older = [tmp_path / f"oidc.db.before-000{number}.bak" for number in (1, 2, 3)]
    for age, file in enumerate(older):
        file.touch()
        os.utime(file, (1000 + age, 1000 + age))

    with running_site(settings):
        pass

    copy = tmp_path / f"oidc.db.before-{newest}.bak"
    assert sorted(tmp_path.glob("*.bak")) == [older[1], older[2], copy]
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0016",)
        assert kept.execute("SELECT count(*) FROM users").fetchone() == (1,)
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_without_a_copy_nothing_is_upgraded(tmp_path):
    database = Database(sqlite_url(tmp_path))
    with database.connection() as connection:
        schema.migrate(connection, "0016")
    (tmp_path / f"oidc.db.before-{resources.newest_migration()}.bak").mkdir()

    with pytest.raises(OSError, match="has to be copied before its upgrade"):
        schema.upgrade(database, Vault(("x" * 32,)), BEGINNING)

    with database.connection() as connection:
        assert schema.version(connection) == "0016"
    database.close()


def test_a_newer_schema_that_is_for_this_program_too_stays_as_it_is(fresh_database_url):
    database, vault = Database(fresh_database_url), Vault(("x" * 32,))
    newest = resources.newest_migration()
    with database.connection() as connection:
        schema.migrate(connection)
        with connection.begin():
            newer = "UPDATE alembic_version SET version_num = '9999', oldest_program = :it"
            connection.execute(text(newer), {"it": newest})

    schema.upgrade(database, vault, BEGINNING)

    with database.connection() as connection:
        assert schema.version(connection) == "9999"
    with database.transaction("read") as db:
        assert signing_keys.missing(db, vault) == []
    database.close()


def test_whatever_way_a_schema_came_about_it_says_which_programs_go_on(fresh_database_url):
    """Those that know the last migration which did more than add."""
    database = Database(fresh_database_url)
    newest, told = resources.newest_migration(), []
    with database.connection() as connection:
        for revision in (newest, FIRST_THAT_TELLS, "0029", newest):
            with schema.alone(connection):
                schema.move(connection, revision)
                if revision >= FIRST_THAT_TELLS:
                    asked = text("SELECT oldest_program FROM alembic_version")
                    told.append(connection.scalar(asked))
    database.close()

    assert told[1] == FIRST_THAT_TELLS
    assert told[0] == told[2] >= FIRST_THAT_TELLS


def test_a_database_of_a_newer_program_is_left_alone(fresh_database_url):
    database = Database(fresh_database_url)
    with database.connection() as connection:
        schema.migrate(connection)
        with connection.begin():
            newer = "UPDATE alembic_version SET version_num = '9999', oldest_program = '9998'"
            connection.execute(text(newer))

    with pytest.raises(schema.SchemaError, match="at 9999, which a newer oidc-server made"):
        schema.upgrade(database, Vault(("x" * 32,)), BEGINNING)

    database.close()
