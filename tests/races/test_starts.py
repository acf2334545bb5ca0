"""Several processes start on one database at the same moment."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from oidc_server.security.jose import ALGORITHMS
from tests.services.command_line import CommandLine
from tests.services.databases import sqlite_url
from tests.services.deployment import Deployment, deployed, settings_for
from tests.services.ports import free_port
from tests.services.ready_databases import ReadyDatabases

pytestmark = [pytest.mark.race, pytest.mark.slow]


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest,
    ready_databases: ReadyDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """A server with two workers on SQLite, beside which something else starts."""
    folder = tmp_path_factory.mktemp("running")
    with (
        ready_databases.copy(request, "sqlite", folder) as url,
        deployed(folder, url) as deployment,
    ):
        yield deployment


def test_two_first_starts_at_once_both_succeed_and_make_one_key_set(
    fresh_database_url: str, tmp_path: Path
) -> None:
    settings = {**settings_for(fresh_database_url, tmp_path), "OIDC_ISSUER": "http://localhost"}
    command_line = CommandLine(tmp_path, settings)

    ended = command_line.run_together(("db", "upgrade"), ("db", "upgrade"))

    assert [done.returncode for done in ended] == [0, 0], [done.stderr for done in ended]
    keys = command_line.answer("keys", "list")
    assert Counter(key["alg"] for key in keys) == dict.fromkeys(ALGORITHMS, 1)
    assert {key["state"] for key in keys} == {"signing"}


def test_first_starts_at_once_agree_on_the_secret_that_they_make(tmp_path: Path) -> None:
    settings = {**settings_for(sqlite_url(tmp_path), tmp_path), "OIDC_ISSUER": "http://localhost"}
    del settings["OIDC_SECRET_KEY"]
    command_line = CommandLine(tmp_path, settings)

    ended = command_line.run_together(("db", "upgrade"), ("db", "upgrade"))

    assert [done.returncode for done in ended] == [0, 0], [done.stderr for done in ended]
    assert len(command_line.answer("keys", "list")) == len(ALGORITHMS)
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_a_second_server_on_the_same_sqlite_data_is_refused(running: Deployment) -> None:
    second = running.command_line.run("serve", "--port", str(free_port()))

    assert second.returncode == 1
    folder = running.command_line.folder / running.command_line.settings["OIDC_DATA_DIR"]
    assert second.stderr.startswith(f"Another server runs on {folder.resolve()}; stop it")
    assert "OIDC_DATA_DIR" in second.stderr
    assert "Traceback" not in second.stderr
    assert running.http.get("/health/ready").status_code == 200


def test_the_command_line_works_beside_a_running_server(running: Deployment) -> None:
    added = [("clients", "add", "--name", "Beside", "--type", "service", "--json")] * 2
    ended = running.command_line.run_together(*added)

    assert [done.returncode for done in ended] == [0] * 2, [done.stderr for done in ended]
    assert len(running.command_line.answer("clients", "list")) == 2


def test_a_port_that_is_taken_is_named(running: Deployment) -> None:
    port = running.server.base_url.rpartition(":")[2]

    second = _elsewhere(running).run("serve", "--port", port)

    assert second.returncode == 1
    assert second.stderr.startswith(
        f"127.0.0.1:{port} cannot be listened on (Address already in use);"
    )
    assert "Traceback" not in second.stderr


def test_a_server_listens_where_its_issuer_on_this_machine_says(running: Deployment) -> None:
    port = running.server.base_url.rpartition(":")[2]
    elsewhere = _elsewhere(running, OIDC_ISSUER=f"http://localhost:{port}")

    second = elsewhere.run("serve")

    assert second.stderr.startswith(f"127.0.0.1:{port} cannot be listened on")


def test_a_server_says_what_commands_do_not_know_of_its_address(running: Deployment) -> None:
    port = free_port()
    elsewhere = _elsewhere(running, OIDC_ISSUER="")

    process = elsewhere.start("serve", "--port", str(port))
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(2)]
    process.terminate()
    process.communicate()

    assert told[1] == (
        "Commands take it to be at http://localhost:8000;"
        f" write OIDC_ISSUER=http://localhost:{port} into .env, and leave --port out\n"
    )


def _elsewhere(running: Deployment, **settings: str) -> CommandLine:
    """The same command line on a folder and a database of its own."""
    folder = running.command_line.folder / "other"
    of_its_own = {"OIDC_DATA_DIR": str(folder), "OIDC_DATABASE_URL": ""}
    return CommandLine(
        running.command_line.folder, {**running.command_line.settings, **of_its_own, **settings}
    )
