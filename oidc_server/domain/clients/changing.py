"""What is done to clients: registering, changing, and giving them secrets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Literal

from sqlalchemy import delete, select

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain.base import DomainError, insert_all, new_id, table_of
from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.domain.clients.listing import canonical_name
from oidc_server.domain.clients.reading import client_of, load
from oidc_server.domain.clients.snapshot import SECRET, Client, UnknownClientError
from oidc_server.domain.clients.tables import ClientOrigin, ClientRow, ClientSecret
from oidc_server.security import opaque_tokens
from oidc_server.security.encryption import Vault


@dataclass(frozen=True)
class NewClient:
    """What `create` made; the secret is shown once and kept as a digest."""

    client: Client
    client_secret: str | None


_INSERT = Statement(insert_all(table_of(ClientRow)))
_INSERT_SECRET = Statement(insert_all(table_of(ClientSecret)))
_INSERT_ORIGIN = Statement(insert_all(table_of(ClientOrigin)))


def create(
    db: Transaction,
    *,
    client_type: ClientType,
    metadata: ClientMetadata,
    now: datetime,
    vault: Vault | None = None,
    registration_digest: bytes | None = None,
    registered_with: str | None = None,
) -> NewClient:
    """Register a client; one that authenticates with a secret gets it.

    `vault` is needed for `client_secret_jwt` only.
    """
    client_id = _new_client_id()
    row: dict[str, Any] = {
        "client_id": client_id,
        "revision": 1,
        "type": client_type,
        "metadata": metadata.to_document(),
        "canonical_name": canonical_name(metadata.client_name),
        "created_at": now,
        "disabled_at": None,
        "tokens_not_before": None,
        "registration_digest": registration_digest,
        "registered_with": registered_with,
        "deleted_at": None,
    }
    db.later(_INSERT, **row)
    if client_type == "spa":
        _add_origins(db, client_id, metadata)
    if not metadata.has_client_secret:
        return NewClient(client_of(SimpleNamespace(**row), []), None)
    secret, kept = _add_secret(db, client_id, now, metadata, vault)
    return NewClient(client_of(SimpleNamespace(**row), [kept]), secret)


def rotate_secret(
    db: Transaction,
    client_id: str,
    *,
    now: datetime,
    overlap: timedelta,
    vault: Vault | None = None,
    seen: Client | None = None,
) -> str:
    """Give a confidential client a new secret; the current ones live on for `overlap`.

    `seen` is that of `change`. Raises `UnknownClientError`, or `DomainError` for a client that has
    no secret.
    """
    row = _lock(db, client_id, seen)
    metadata = load(db, client_id).metadata
    if not metadata.has_client_secret:
        raise DomainError(f"Client {client_id} has no secret.")
    until = now + overlap
    for secret in db.session.scalars(
        select(ClientSecret).where(ClientSecret.client_id == client_id)
    ):
        if secret.expires_at is not None and secret.expires_at <= now:
            db.session.delete(secret)
        elif secret.expires_at is None or secret.expires_at > until:
            secret.expires_at = until
    row.revision += 1
    return _add_secret(db, client_id, now, metadata, vault)[0]


def change(
    db: Transaction,
    client_id: str,
    *,
    metadata: ClientMetadata | None = None,
    disabled_at: datetime | Literal["unchanged"] | None = "unchanged",
    seen: Client | None = None,
) -> Client:
    """Replace a client's metadata or its disabled mark; raises `UnknownClientError`.

    With `seen`, what the change was judged by: raises `ConflictError` if the client is another by
    now, or gone, so that the request runs again and what somebody else changed is not undone.
    """
    row = _lock(db, client_id, seen)
    if metadata is not None:
        row.client_metadata = metadata.to_document()
        row.canonical_name = canonical_name(metadata.client_name)
        db.session.execute(delete(ClientOrigin).where(ClientOrigin.client_id == client_id))
        if row.type == "spa":
            _add_origins(db, client_id, metadata)
    if disabled_at != "unchanged":
        row.disabled_at = disabled_at
    row.revision += 1
    return load(db, client_id)


def _lock(db: Transaction, client_id: str, seen: Client | None = None) -> ClientRow:
    """The row, alone: two changes that counted to one revision would hide one of them."""
    lock = {"key_share": True}  # as an UPDATE does: it is given access all the same
    row = db.session.get(ClientRow, client_id, with_for_update=lock)
    if row is None or row.deleted_at is not None:
        gone = f"There is no client {client_id}."
        raise UnknownClientError(gone) if seen is None else ConflictError(gone)
    if seen is not None and seen.revision != row.revision:
        raise ConflictError("the client has changed")
    return row


def _new_client_id() -> str:
    """Random, and never taken for an option on a command line."""
    while (client_id := opaque_tokens.mint(16)).startswith("-"):
        pass
    return client_id


def _add_origins(db: Transaction, client_id: str, metadata: ClientMetadata) -> None:
    for origin in metadata.origins():
        db.later(_INSERT_ORIGIN, origin=origin, client_id=client_id)


def _add_secret(
    db: Transaction, client_id: str, now: datetime, metadata: ClientMetadata, vault: Vault | None
) -> tuple[str, Any]:
    """A new secret, and its row."""
    secret, row_id, sealed = opaque_tokens.mint(), new_id(now), None
    if metadata.token_endpoint_auth_method == "client_secret_jwt":
        if vault is None:
            raise ValueError("a secret that signs is kept sealed: this needs the vault")
        sealed = vault.seal(SECRET, secret.encode("ascii"), row_id.encode("ascii"))
    row: dict[str, Any] = {
        "id": row_id,
        "client_id": client_id,
        "digest": opaque_tokens.digest(secret),
        "sealed": sealed,
        "created_at": now,
        "expires_at": None,
    }
    db.later(_INSERT_SECRET, **row)
    return secret, SimpleNamespace(**row)
