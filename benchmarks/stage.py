"""People and clients in a server's database, to measure with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oidc_server.database import Database, Transaction
from oidc_server.domain import client_metadata, clients, users
from oidc_server.domain.client_metadata import ClientType
from oidc_server.security.passwords import PasswordHasher
from oidc_server.settings import Settings
from tests.factories import PASSWORD, App, Person

REDIRECT_URI = "http://localhost:9/callback"


@dataclass(frozen=True)
class Stage:
    """Who takes part: an application, a service, and people with one password."""

    web: App
    service: App
    people: list[Person]


def set_up(settings: Settings, database: Database, now: datetime, people: int) -> Stage:
    """Fill the migrated database."""
    hasher = PasswordHasher(
        settings.argon2_time_cost, settings.argon2_memory_kib, settings.argon2_parallelism
    )
    password_hash = hasher.hash(PASSWORD)
    with database.transaction("write") as db:

        def invite(number: int) -> Person:
            name, email = f"person{number}", f"person{number}@example.com"
            user = users.create(
                db,
                username=name,
                email=email,
                name=f"Person {number}",
                password_hash=password_hash,
                now=now,
                email_verified=True,
            )
            return Person(user.id, name, email)

        return Stage(
            web=register(db, "web", now, redirect_uris=(REDIRECT_URI,), skip_consent=True),
            service=register(db, "service", now, may_introspect=True),
            people=[invite(number) for number in range(people)],
        )


def register(db: Transaction, client_type: ClientType, now: datetime, **choices: Any) -> App:
    """A new client of this type."""
    metadata = client_metadata.for_type(client_type, client_name="Bench", **choices)
    made = clients.create(db, client_type=client_type, metadata=metadata, now=now)
    return App(made.client.client_id, made.client_secret, REDIRECT_URI)
