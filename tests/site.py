"""The real application in this process, on a real database, with a clock that tests move."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, insert, select, text
from starlette.testclient import TestClient

from oidc_server import domain, schema
from oidc_server.app import Server, create_app
from oidc_server.database import Transaction
from oidc_server.domain.base import table_of
from oidc_server.domain.signing_keys import SigningKeyRow
from oidc_server.settings import Settings
from oidc_server.web.runtime import Runtime
from tests.services import log_scan
from tests.services.databases import KINDS
from tests.services.ready_databases import SECRET_KEY, ReadyDatabases

ISSUER = "https://id.example.com"
BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_FIRST_START = BEGINNING - timedelta(days=1)
TABLES = [
    table
    for table in reversed(domain.Base.metadata.sorted_tables)
    if table.name not in ("signing_keys", "audit_horizon")
]
"""What a test may fill, in an order in which it can be deleted."""
# Deleting in this order breaks no reference, and yet PostgreSQL looks for broken ones, which takes
# ten times as long; the audit log keeps what is young. A superuser can do without both.
_WITHOUT_TRIGGERS = text(
    "SELECT set_config('session_replication_role', 'replica', true)"
    " FROM pg_roles WHERE rolname = current_user AND rolsuper"
)
# The audit log lets nothing go that is younger than this.
_LET_ALL_GO = "INSERT INTO audit_horizon VALUES (1, 9000000000000000)"
# One question about all of them: a test fills few, and there are many tests.
_FILLED = " UNION ALL ".join(
    f"SELECT '{table.name}' WHERE EXISTS (SELECT 1 FROM {table.name})"  # noqa: S608 - ours
    for table in TABLES
)

# By database: two servers may share one.
_FIRST_KEYS: dict[str, list[dict[str, Any]]] = {}


@dataclass
class TestClock:
    """Stands still until it is told to move."""

    __test__ = False
    now: datetime = BEGINNING

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta | float) -> None:
        """Move on, by a timedelta or by seconds."""
        self.now += by if isinstance(by, timedelta) else timedelta(seconds=by)


@dataclass
class Site:
    """The server as tests see it: over HTTP, and, to prepare things, its database."""

    app: Server
    clock: TestClock
    http: TestClient
    issuer: str
    keys: list[dict[str, Any]] = field(default_factory=list)
    """The signing keys that the database began with: making them takes long."""
    others: list[TestClient] = field(default_factory=list)
    beginnings: dict[Hashable, tuple[Any, Any, str]] = field(default_factory=dict)
    """What `tests.beginnings` can put back."""

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.app.runtime
        return runtime

    def db(self) -> AbstractContextManager[Transaction]:
        """A writing transaction beside the server's own."""
        return self.runtime.database.transaction("write")

    def browser(self, address: str = "testclient") -> TestClient:
        """Another browser, at an address: it shares no cookies with `http`, but the event loop."""
        client = _client(self.app, self.issuer, address)
        client.portal = self.http.portal
        return client

    def is_new(self) -> bool:
        """Whether nothing was done to it since it was cleaned: no rows, no keys, no time."""
        with self.db() as db:
            return (
                self.clock.now == BEGINNING and not filled_tables(db) and keys_in(db) == self.keys
            )

    def clean(self) -> None:
        """Forget everything but the signing keys that were there in the beginning."""
        with self.db() as db:
            if db.session.get_bind().dialect.name == "postgresql":
                db.session.execute(_WITHOUT_TRIGGERS)
            others = keys_in(db) != self.keys
            if others:
                db.session.execute(text("DELETE FROM signing_keys"))
                db.session.execute(insert(SigningKeyRow), self.keys)
            if others or self.clock.now != BEGINNING:  # another site here may have put them back
                self.runtime.keys.refresh(db, self.clock.now + timedelta(days=1))
            filled = filled_tables(db)
            db.session.execute(text("DELETE FROM audit_horizon"))
            if "audit_events" in filled:
                db.session.execute(text(_LET_ALL_GO))
            for table in TABLES:
                if table.name in filled:
                    db.session.execute(delete(table))
            db.session.execute(text("DELETE FROM audit_horizon"))
        self.http.cookies.clear()
        self.clock.now = BEGINNING


def filled_tables(db: Transaction) -> set[str]:
    """The names of the tables that hold something, but for the signing keys."""
    return set(db.session.scalars(text(_FILLED)))


def keys_in(db: Transaction) -> list[dict[str, Any]]:
    """Every signing key, as a row that can be put back."""
    table = table_of(SigningKeyRow)
    rows = db.session.execute(select(table).order_by(table.c.kid))
    return [dict(row) for row in rows.mappings()]


def settings_for(database_url: str, folder: Path, **changes: Any) -> Settings:
    """Settings of a test server: an https issuer, cheap hashes, no limits unless asked for."""
    values: dict[str, Any] = {
        "issuer": ISSUER,
        "database_url": database_url,
        "data_dir": folder,
        "secret_key": (SecretStr(SECRET_KEY),),
        "sign_up": "open",
        "rate_limits": False,
        "max_wait": timedelta(seconds=20),  # a machine that does other things too is no overload
        "argon2_time_cost": 1,
        "argon2_memory_kib": 64,
        "argon2_parallelism": 1,
    }
    return Settings(**{**values, **changes})


def _client(app: Server, issuer: str, address: str = "testclient") -> TestClient:
    """A client whose answers nobody may find in a log again."""
    client = TestClient(app, base_url=issuer, follow_redirects=False, client=(address, 50000))
    client.event_hooks = {"response": [log_scan.remember]}
    return client


@contextmanager
def running_site(
    settings: Settings, *, dev: bool = False, with_jobs: bool = False
) -> Iterator[Site]:
    """Migrate the database and run the application on it."""
    clock = TestClock()
    app = create_app(settings, clock, dev=dev, with_jobs=with_jobs)
    runtime: Runtime = app.runtime
    schema.upgrade(runtime.database, runtime.vault, _FIRST_START)
    client = _client(app, settings.issuer)
    with client:
        site = Site(app, clock, client, settings.issuer)
        with site.db() as db:
            site.keys = _FIRST_KEYS.setdefault(str(settings.database_url), keys_in(db))
        yield site


@pytest.fixture(scope="session")
def _shared_site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(settings_for(database_url, tmp_path_factory.mktemp("data"))) as site:
        yield site


@pytest.fixture
def site(_shared_site: Site) -> Site:
    """The server with nothing in it. Each test runs on SQLite and on PostgreSQL."""
    _shared_site.clean()
    return _shared_site


@pytest.fixture(scope="session")
def _shared_open_site(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    settings = settings_for(database_url, tmp_path_factory.mktemp("data"), registration="open")
    with running_site(settings) as site:
        yield site


@pytest.fixture
def open_site(_shared_open_site: Site) -> Site:
    """The server with nothing in it, where every application may register itself."""
    _shared_open_site.clean()
    return _shared_open_site


@pytest.fixture(params=KINDS)
def start_site(
    request: pytest.FixtureRequest, ready_databases: ReadyDatabases, tmp_path: Path
) -> Iterator[Callable[..., Site]]:
    """Start servers with settings of one's own: `start_site(sign_up="closed")`."""
    with ExitStack() as stack:
        url = stack.enter_context(
            ready_databases.copy(request, request.param, tmp_path, since=_FIRST_START)
        )

        def start(*, dev: bool = False, with_jobs: bool = False, **changes: Any) -> Site:
            settings = settings_for(url, tmp_path, **changes)
            return stack.enter_context(running_site(settings, dev=dev, with_jobs=with_jobs))

        yield start
