"""Things that tests need to exist: valid by default, one detail overridden at a time."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from oidc_server.database import Transaction
from oidc_server.domain import client_metadata, clients, credentials, resources, users
from oidc_server.domain.client_metadata import ClientType
from oidc_server.domain.credentials import Credentials
from oidc_server.domain.users import User
from tests.site import Site

PASSWORD = "a long enough passphrase"
REDIRECT_URI = "https://app.example.net/callback"
_count = iter(range(1, 10**9))


@dataclass(frozen=True)
class Person:
    """An account, with the password that opens it."""

    id: str
    username: str
    email: str
    password: str = PASSWORD


@dataclass(frozen=True)
class App:
    """A registered client, with its secret."""

    client_id: str
    client_secret: str | None
    redirect_uri: str


def account_of(db: Transaction, name: str) -> Credentials:
    """The account with this username or verified address, which is known to exist."""
    found = credentials.find_by_name(db, name)
    assert found is not None
    return found


def make_user(site: Site, **changes: Any) -> Person:
    """An account with a verified address."""
    number = next(_count)
    password = changes.pop("password", PASSWORD)
    values: dict[str, Any] = {
        "username": f"person{number}",
        "email": f"person{number}@example.com",
        "name": f"Person {number}",
        "email_verified": True,
        **changes,
    }
    password_hash = site.runtime.passwords.hash(password)
    with site.db() as db:
        user = users.create(db, password_hash=password_hash, now=site.clock.now, **values)
        return Person(user.id, values["username"], values["email"], password)


def make_client(site: Site, client_type: ClientType = "web", **changes: Any) -> App:
    """A client of a type, for the redirect URI of the tests."""
    service = client_type == "service"
    values: dict[str, Any] = {
        "client_name": "Ledger",
        "redirect_uris": () if service else (REDIRECT_URI,),
        **changes,
    }
    metadata = client_metadata.for_type(client_type, **values)
    with site.db() as db:
        made = clients.create(
            db,
            client_type=client_type,
            metadata=metadata,
            now=site.clock.now,
            vault=site.runtime.vault,
        )
    redirect_uri = metadata.redirect_uris[0] if metadata.redirect_uris else ""
    return App(made.client.client_id, made.client_secret, redirect_uri)


def make_resource(
    site: Site, identifier: str, scopes: str = "", client_id: str | None = None
) -> str:
    """A resource server; returns its identifier."""
    with site.db() as db:
        resources.create(
            db,
            identifier=identifier,
            name=identifier,
            scopes=frozenset(scopes.split()),
            client_id=client_id,
            now=site.clock.now,
        )
    return identifier


def everybody(db: Transaction) -> list[User]:
    """Every account, oldest first."""
    return list(db.session.scalars(select(User).order_by(User.created_at, User.id)))
