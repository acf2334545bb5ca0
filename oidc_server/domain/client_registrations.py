"""Clients that register themselves, look after themselves, and go (RFC 7591, RFC 7592)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, null, select, update

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain import clients, consents, grants
from oidc_server.domain.base import table_of
from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.domain.clients import Client, ClientOrigin, ClientRow, ClientSecret
from oidc_server.security import opaque_tokens
from oidc_server.security.encryption import Vault


@dataclass(frozen=True, slots=True)
class NewRegistration:
    """A client that registered itself; both secrets are shown once and kept as digests."""

    client: Client
    client_secret: str | None
    registration_access_token: str


@dataclass(frozen=True, slots=True)
class Registration:
    """A client that showed its registration access token, and with which token it had come."""

    client: Client
    registered_with: str | None


_clients = table_of(ClientRow)
_secrets = table_of(ClientSecret)
_origins = table_of(ClientOrigin)

_FIND = Statement(
    select(_clients.c.registration_digest, _clients.c.registered_with).where(
        _clients.c.client_id == bindparam("client_id"),
        _clients.c.registration_digest.is_not(None),
        _clients.c.disabled_at.is_(None),
    )
)
_DELETE = Statement(
    update(_clients)
    .where(_clients.c.client_id == bindparam("of_client"), _clients.c.deleted_at.is_(None))
    .values(
        disabled_at=bindparam("now"),
        deleted_at=bindparam("now"),
        tokens_not_before=bindparam("now"),
        registration_digest=null(),
        revision=_clients.c.revision + 1,
    )
)
_DELETE_SECRETS = Statement(delete(_secrets).where(_secrets.c.client_id == bindparam("of_client")))
_DELETE_ORIGINS = Statement(delete(_origins).where(_origins.c.client_id == bindparam("of_client")))
_NOBODYS = bytes(32)


def register(
    db: Transaction,
    *,
    client_type: ClientType,
    metadata: ClientMetadata,
    registered_with: str | None,
    now: datetime,
    vault: Vault,
) -> NewRegistration:
    """Make the client, with the token that it manages itself with (RFC 7592 §3)."""
    token = opaque_tokens.mint()
    made = clients.create(
        db,
        client_type=client_type,
        metadata=metadata,
        now=now,
        vault=vault,
        registration_digest=opaque_tokens.digest(token),
        registered_with=registered_with,
    )
    return NewRegistration(made.client, made.client_secret, token)


def find(db: Transaction, client_id: str, token: str) -> Registration | None:
    """The client, if `token` is its registration access token.

    None for every other reason: no such client, one that is disabled, deleted or did not register
    itself, another token.
    """
    row = db.first(_FIND, client_id=client_id)
    known = _NOBODYS if row is None else row.registration_digest
    if not opaque_tokens.constant_time_equal(known, opaque_tokens.digest(token)) or row is None:
        return None
    client = clients.find(db, client_id)
    return None if client is None else Registration(client, row.registered_with)


def replace(
    db: Transaction, client: Client, metadata: ClientMetadata, *, now: datetime, vault: Vault
) -> tuple[Client, str | None]:
    """Give the client other metadata (RFC 7592 §2.2), and a secret if it needs one from now on.

    `metadata` was judged by `client`: raises `ConflictError` if that has changed since it was read.
    """
    client_id, before = client.client_id, client.metadata
    clients.change(db, client_id, metadata=metadata, seen=client)
    secret = None
    if not metadata.has_client_secret:
        db.later(_DELETE_SECRETS, of_client=client_id)
    elif not before.has_client_secret or _signs(before) != _signs(metadata):
        secret = clients.rotate_secret(db, client_id, now=now, overlap=timedelta(), vault=vault)
    return clients.load(db, client_id), secret


def delete_client(db: Transaction, client_id: str, now: datetime) -> None:
    """End a client with all it holds; its row stays for the audit log, and nothing finds it.

    Raises `UnknownClientError`, and `ConflictError` if somebody else is just doing it.
    """
    client = clients.load(db, client_id)
    if not db.run(_DELETE, of_client=client.client_id, now=now):
        raise ConflictError("the client was deleted")
    db.later(_DELETE_SECRETS, of_client=client.client_id)
    db.later(_DELETE_ORIGINS, of_client=client.client_id)
    consents.forget_client(db, client.client_id)  # before the grants, as `endings.withdraw_client`
    grants.revoke_of_client(db, client.client_id, now)


def _signs(metadata: ClientMetadata) -> bool:
    """Whether the secret is a key: such a one is kept sealed, not as a digest alone."""
    return metadata.token_endpoint_auth_method == "client_secret_jwt"
