"""Migrations on a database that is in use: up, down and up again, and nothing is lost."""

import pytest
from sqlalchemy import text

from oidc_server import domain, resources, schema
from oidc_server.domain import clients, restoration
from tests.browser import Browser
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site, running_site, settings_for

TABLES = ("users", "clients", "client_secrets", "user_sessions", "grants", "refresh_tokens")
FIRST = "0001"


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
