"""Several nodes begin at once on one PostgreSQL that an older program has left behind."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from oidc_server import resources, schema
from oidc_server.database import Database
from oidc_server.security.jose import ALGORITHMS
from tests.relying_party import RelyingParty
from tests.services import run
from tests.services.command_line import PROGRAM
from tests.services.deployment import Deployment, deployed, settings_for
from tests.services.ports import free_port
from tests.services.ready_databases import ReadyDatabases
from tests.waiting import wait_for

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.postgres]
OLDER = "0012"
LONGER_THAN_A_REQUEST_WAITS = 6
"""Seconds: a lock that a request wants is given up after five."""
_WATCH = """
    CREATE TABLE changes (backend integer NOT NULL);
    CREATE TABLE large_table ();
    INSERT INTO large_table DEFAULT VALUES;
    CREATE FUNCTION note_change() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        WHILE EXISTS (SELECT FROM large_table) LOOP
            PERFORM pg_sleep(0.1);
        END LOOP;
        INSERT INTO changes VALUES (pg_backend_pid());
    END $$;
    CREATE EVENT TRIGGER note_changes ON ddl_command_end EXECUTE FUNCTION note_change();
"""
"""Who changes the schema is noted, and waits in the middle of it until the large table is empty.
What is rolled back was not noted."""
_EMPTY = "DELETE FROM large_table"
_AT_WORK = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
_WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@dataclass
class OldDatabase:
    """It was in use, and is at `OLDER`."""

    url: str
    folder: Path
    party: RelyingParty
    refresh_token: str
    issuer: str
    _stack: ExitStack = field(repr=False)

    def begin(self, name: str) -> Deployment:
        """Start a node on it, and return when that serves."""
        (place := self.folder / name).mkdir()
        started: Deployment = self._stack.enter_context(
            deployed(place, self.url, workers=1, issuer=self.issuer)
        )
        return started

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            done = connection.execute(text(statement))
            return [tuple(row) for row in done] if done.returns_rows else []


@pytest.fixture
def old_database(
    request: pytest.FixtureRequest, ready_databases: ReadyDatabases, tmp_path: Path
) -> Iterator[OldDatabase]:
    issuer = f"http://127.0.0.1:{free_port()}"
    (place := tmp_path / "first").mkdir()
    with ready_databases.copy(request, "postgresql", tmp_path) as url, ExitStack() as stack:
        with deployed(place, url, workers=1, issuer=issuer) as first:
            party = RelyingParty(first, first.make_client())
            answer = party.authorize(first.browser(), first.make_user())
            refresh_token = party.redeem(answer.code).json()["refresh_token"]
        database = Database(url)
        with database.connection() as connection:
            schema.downgrade(connection, OLDER)
        database.close()
        old = OldDatabase(url, tmp_path, party, refresh_token, issuer, stack)
        old.execute(_WATCH)
        yield old


def test_of_three_nodes_one_upgrades_and_the_others_wait_for_as_long_as_it_takes(
    old_database: OldDatabase,
) -> None:
    with ThreadPoolExecutor(3) as threads:
        begun = [threads.submit(old_database.begin, name) for name in ("a", "b", "c")]
        wait_for(lambda: len(old_database.execute(_WAITING)) == 2)
        time.sleep(LONGER_THAN_A_REQUEST_WAITS)
        old_database.execute(_EMPTY)
        nodes = [one.result() for one in begun]

    assert_upgraded_once(old_database)
    assert_all_serve_as_one(old_database, nodes)


def test_a_node_that_is_killed_while_it_upgrades_leaves_the_work_to_the_others(
    old_database: OldDatabase,
) -> None:
    with begun(old_database) as first, ThreadPoolExecutor(2) as threads:
        wait_for(lambda: old_database.execute(_AT_WORK) != [])
        others = [threads.submit(old_database.begin, name) for name in ("b", "c")]
        wait_for(lambda: len(old_database.execute(_WAITING)) == 2)
        os.killpg(first.pid, signal.SIGKILL)
        old_database.execute(_EMPTY)
        nodes = [other.result() for other in others]

    assert_upgraded_once(old_database)
    assert_all_serve_as_one(old_database, nodes)


@contextmanager
def begun(old_database: OldDatabase) -> Iterator[subprocess.Popen[bytes]]:
    """A node that nobody waits for, with all its processes in a group of its own."""
    (place := old_database.folder / "killed").mkdir()
    settings = settings_for(old_database.url, place, issuer=old_database.issuer)
    process = subprocess.Popen(
        (*PROGRAM, "serve", "--port", str(free_port())),
        cwd=place,
        env={**run.clean_environment(), **settings},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def assert_upgraded_once(old_database: OldDatabase) -> None:
    [[version]] = old_database.execute("SELECT version_num FROM alembic_version")
    backends = {backend for (backend,) in old_database.execute("SELECT backend FROM changes")}
    assert version == resources.newest_migration()
    assert len(backends) == 1


def assert_all_serve_as_one(old_database: OldDatabase, nodes: list[Deployment]) -> None:
    token = old_database.refresh_token
    for node in nodes:
        node.server.wait_until_ready("/health/ready")
        old_database.party.site = node
        answer = old_database.party.refresh(token)
        assert answer.status_code == 200, answer.text
        token = answer.json()["refresh_token"]
        assert "Traceback" not in node.server.logs()
    assert len({node.http.get("/jwks.json").text for node in nodes}) == 1
    keys = nodes[0].http.get("/jwks.json").json()["keys"]
    assert Counter(key["alg"] for key in keys) == dict.fromkeys(ALGORITHMS, 1)
