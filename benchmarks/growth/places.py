"""A server on a database with so many people."""

import random
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import Connection, create_engine, text

from benchmarks import process, stage
from benchmarks.growth.population import Population, populate, user_id
from benchmarks.growth.turns import Meter
from benchmarks.operations import Client
from benchmarks.trees import Tree
from oidc_server import schema
from oidc_server.clock import utc_now
from oidc_server.database import Database
from oidc_server.domain import clients, consents
from oidc_server.domain.consents import Permission
from oidc_server.oauth2.vocabulary import API_SCOPES
from oidc_server.security.encryption import Vault
from oidc_server.settings import load
from tests.factories import App
from tests.services.postgres import PostgresServer

_SETTINGS = {
    "OIDC_SECRET_KEY": "a secret of the benchmarks that is long enough",
    "OIDC_RATE_LIMITS": "off",
    "OIDC_ACCESS_TOKEN_LIFETIME": "1h",
    # What a hash costs does not depend on how many people there are, and would hide what does.
    "OIDC_ARGON2_TIME_COST": "1",
    "OIDC_ARGON2_MEMORY_KIB": "8",
}
_SCOPES = frozenset({"openid", "profile", "email"})


@dataclass(frozen=True)
class Place:
    """A server, who lives there, an application, and a service with every scope."""

    server: process.Server
    population: Population
    meter: Meter
    web: Client
    service: Client
    bearer: str

    def get(self, path: str, **query: object) -> Any:
        known = {name: value for name, value in query.items() if value is not None}
        answer = self.service.get(f"{path}?{urlencode(known)}", authorization=self.bearer)
        return answer.body

    def read(self, path: str, **query: object) -> Any:
        return orjson.loads(self.get(path, **query))

    def anybody(self) -> str:
        """The id of some person."""
        return user_id(random.randint(2, self.population.users))  # noqa: S311 - no secret


@contextmanager
def place(
    folder: Path, postgres: PostgresServer, postgres_pid: int, users: int, options: Namespace
) -> Iterator[Place]:
    """Start a server, fill its database, and say how long that took."""
    folder.mkdir()
    url = postgres.create_database()
    settings = {**_SETTINGS, "OIDC_DATABASE_URL": url}
    engine = create_engine(postgres.url, isolation_level="AUTOCOMMIT")
    try:
        web, service = _cast(url)
        begun = time.monotonic()
        population = populate(url, users, options.entries, web.client_id)
        print(f"  {users:,} users, made in {time.monotonic() - begun:.0f} s", flush=True)
        with (
            process.running(folder, settings=settings) as server,
            engine.connect() as connection,
        ):
            meter = Meter(Tree(server.pid), Tree(postgres_pid), lambda: _wal_position(connection))
            clients_there = Client(server, web), Client(server, service)
            yield Place(server, population, meter, *clients_there, _bearer(clients_there[1]))
    finally:
        engine.dispose()
        postgres.drop_database(url)


def _wal_position(connection: Connection) -> int:
    found = connection.execute(text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))
    return int(found.scalar_one())


def _bearer(service: Client) -> str:
    token = service.post("/token", grant_type="client_credentials", scope=" ".join(API_SCOPES))
    service.close()  # it opens again by itself: a server does not wait as long as the other fills
    return f"Bearer {token['access_token']}"


def _cast(url: str) -> tuple[App, App]:
    """Make the tables; an application that a person has permitted what it asks for, a service."""
    settings = load({**_SETTINGS, "OIDC_DATABASE_URL": url}, None)
    database, now = Database(url), utc_now()
    try:
        schema.upgrade(database, Vault(settings.secret_keys), now)
        first = stage.set_up(settings, database, now, 1).people[0]
        uris = (stage.REDIRECT_URI,)
        with database.transaction("write") as db:
            web = stage.register(db, "web", now, redirect_uris=uris, post_logout_redirect_uris=uris)
            service = stage.register(
                db, "service", now, may_introspect=True, scopes=sorted(API_SCOPES)
            )
            client = clients.load(db, web.client_id)
            consents.remember(db, first.id, client, Permission(_SCOPES), now)
    finally:
        database.close()
    return web, service
