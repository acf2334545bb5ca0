"""OAuth clients: metadata, secrets, and the immutable snapshot requests work with."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ForeignKey, LargeBinary, Text, bindparam, delete, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    Document,
    DomainError,
    Identifier,
    Instant,
    new_id,
    table_of,
)
from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.security import opaque_tokens
from oidc_server.security.encryption import UnsealError, Vault

_CACHED_CLIENTS = 1000
_SECRET = "client-secret"


class ClientRow(Base):
    """A client as stored. Every change raises `revision`, which tells old snapshots."""

    __tablename__ = "clients"

    client_id: Mapped[str] = mapped_column(Text, primary_key=True)
    revision: Mapped[int]
    type: Mapped[str] = mapped_column(Text)
    # `metadata` is taken by the declarative base.
    client_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", Document)
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    tokens_not_before: Mapped[datetime | None] = mapped_column(Instant)
    # Of a client that registered itself: the digest of the token that manages it (RFC 7592 §3),
    # and the initial access token that let it in.
    registration_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    registered_with: Mapped[str | None] = mapped_column(Identifier)
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)


class ClientSecret(Base):
    """A secret of a confidential client, as a digest. Two may live while one replaces the other.

    Of a client that signs with its secret the secret itself is needed, and kept sealed.
    """

    __tablename__ = "client_secrets"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.client_id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class ClientOrigin(Base):
    """An origin whose scripts may read our answers: that of a registered SPA."""

    __tablename__ = "client_origins"

    origin: Mapped[str] = mapped_column(Text, primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.client_id"), primary_key=True)


@dataclass(frozen=True, slots=True)
class Client:
    """One revision of a client, parsed once and shared by requests."""

    client_id: str
    revision: int
    type: ClientType
    metadata: ClientMetadata
    secrets: tuple[tuple[bytes, datetime | None], ...]
    created_at: datetime
    disabled_at: datetime | None
    tokens_not_before: datetime | None
    sealed_secrets: tuple[tuple[str, bytes, datetime | None], ...] = ()
    """Id of the row, what is sealed, and the end: for `client_secret_jwt` only."""
    self_registered: bool = False
    """Nobody but itself says who it is (RFC 7591 §5)."""

    @property
    def is_public(self) -> bool:
        return self.metadata.token_endpoint_auth_method == "none"

    @property
    def must_prove_key(self) -> bool:
        """Whether every access token of it is bound to a key (RFC 9449 §5.2)."""
        return self.metadata.dpop_bound_access_tokens or self.metadata.profile == "fapi2"

    def allows_grant(self, grant_type: str) -> bool:
        return grant_type in self.metadata.grant_types

    def narrow(self, scopes: Iterable[str]) -> frozenset[str]:
        """Those of the asked scopes that this client may have."""
        return self.metadata.scopes.intersection(scopes)

    def knows_secret(self, secret: str, now: datetime) -> bool:
        """Whether this is one of the live secrets; every one is compared, in constant time."""
        digest = opaque_tokens.digest(secret)
        found = False
        for known, expires_at in self.secrets:
            alive = expires_at is None or expires_at > now
            found |= opaque_tokens.constant_time_equal(known, digest) and alive
        return found

    def open_secrets(self, vault: Vault, now: datetime) -> list[bytes]:
        """The live secrets of a client that signs with them (Core §10.1).

        One that was sealed with a secret of ours that is gone is gone too.
        """
        opened = []
        for row_id, sealed, expires_at in self.sealed_secrets:
            if expires_at is None or expires_at > now:
                with suppress(UnsealError):
                    opened.append(vault.open(_SECRET, sealed, row_id.encode("ascii")))
        return opened


class UnknownClientError(DomainError):
    """No client has this id."""


@dataclass(frozen=True)
class NewClient:
    """What `create` made; the secret is shown once and kept as a digest."""

    client: Client
    client_secret: str | None


_clients = table_of(ClientRow)
_secrets = table_of(ClientSecret)
_origins = table_of(ClientOrigin)

_REVISION = Statement(
    select(_clients.c.revision).where(
        _clients.c.client_id == bindparam("client_id"), _clients.c.disabled_at.is_(None)
    )
)
_LOAD = Statement(select(*_clients.columns).where(_clients.c.client_id == bindparam("client_id")))
_LOAD_SECRETS = Statement(
    select(_secrets.c.id, _secrets.c.digest, _secrets.c.sealed, _secrets.c.expires_at).where(
        _secrets.c.client_id == bindparam("client_id")
    )
)
_IS_ORIGIN = Statement(
    select(
        exists().where(
            _origins.c.origin == bindparam("origin"),
            _origins.c.client_id == _clients.c.client_id,
            _clients.c.disabled_at.is_(None),
        )
    )
)


def find(db: Transaction, client_id: str) -> Client | None:
    """The client, or None when there is none or it is disabled.

    One small read tells its revision; the rest comes from the snapshots this process keeps. Absence
    is never kept.
    """
    row = db.first(_REVISION, client_id=client_id)
    return None if row is None else at_revision(db, client_id, row.revision)


def at_revision(db: Transaction, client_id: str, revision: int) -> Client:
    """An enabled client whose revision another statement of this request has read."""
    snapshots: dict[str, Client] = db.memory.setdefault("clients", {})
    snapshot = snapshots.get(client_id)
    if snapshot is None or snapshot.revision != revision:
        snapshot = _read(db, db.first(_LOAD, client_id=client_id))
        if len(snapshots) >= _CACHED_CLIENTS:
            snapshots.pop(next(iter(snapshots)), None)
        snapshots[client_id] = snapshot
    return snapshot


def load(db: Transaction, client_id: str) -> Client:
    """The client as stored, disabled or not; raises `UnknownClientError`."""
    row = db.first(_LOAD, client_id=client_id)
    if row is None or row.deleted_at is not None:
        raise UnknownClientError(f"There is no client {client_id}.")
    return _read(db, row)


def _read(db: Transaction, row: Any) -> Client:
    secrets = db.all(_LOAD_SECRETS, client_id=row.client_id)
    return Client(
        client_id=row.client_id,
        revision=row.revision,
        type=row.type,
        metadata=ClientMetadata.from_document(row.metadata),
        secrets=tuple((secret.digest, secret.expires_at) for secret in secrets),
        sealed_secrets=tuple(
            (secret.id, secret.sealed, secret.expires_at) for secret in secrets if secret.sealed
        ),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        tokens_not_before=row.tokens_not_before,
        self_registered=row.registration_digest is not None,
    )


def is_origin(db: Transaction, origin: str) -> bool:
    """Whether scripts of this origin belong to a registered single-page application."""
    return bool(db.first(_IS_ORIGIN, origin=origin)[0])


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
    db.session.add(
        ClientRow(
            client_id=client_id,
            revision=1,
            type=client_type,
            client_metadata=metadata.to_document(),
            created_at=now,
            registration_digest=registration_digest,
            registered_with=registered_with,
        )
    )
    db.flush()
    if client_type == "spa":
        db.session.add_all(
            ClientOrigin(origin=origin, client_id=client_id) for origin in metadata.origins()
        )
    secret = (
        _add_secret(db, client_id, now, metadata, vault) if metadata.has_client_secret else None
    )
    return NewClient(load(db, client_id), secret)


def rotate_secret(
    db: Transaction,
    client_id: str,
    *,
    now: datetime,
    overlap: timedelta,
    vault: Vault | None = None,
) -> str:
    """Give a confidential client a new secret; the current ones live on for `overlap`.

    Raises `UnknownClientError`, or `DomainError` for a client that has no secret.
    """
    row = _lock(db, client_id)
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
    return _add_secret(db, client_id, now, metadata, vault)


def list_clients(db: Transaction) -> list[Client]:
    """Every client, oldest first, disabled ones included."""
    ids = db.session.scalars(
        select(ClientRow.client_id)
        .where(ClientRow.deleted_at.is_(None))
        .order_by(ClientRow.created_at)
    )
    return [load(db, client_id) for client_id in ids]


def change(
    db: Transaction,
    client_id: str,
    *,
    metadata: ClientMetadata | None = None,
    disabled_at: datetime | Literal["unchanged"] | None = "unchanged",
) -> Client:
    """Replace a client's metadata or its disabled mark; raises `UnknownClientError`."""
    row = _lock(db, client_id)
    if metadata is not None:
        row.client_metadata = metadata.to_document()
        db.session.execute(delete(ClientOrigin).where(ClientOrigin.client_id == client_id))
        if row.type == "spa":
            db.session.add_all(
                ClientOrigin(origin=origin, client_id=client_id) for origin in metadata.origins()
            )
    if disabled_at != "unchanged":
        row.disabled_at = disabled_at
    row.revision += 1
    return load(db, client_id)


def _lock(db: Transaction, client_id: str) -> ClientRow:
    """The row, alone: two changes that counted to one revision would hide one of them."""
    row = db.session.get(ClientRow, client_id, with_for_update=True)
    if row is None or row.deleted_at is not None:
        raise UnknownClientError(f"There is no client {client_id}.")
    return row


def _new_client_id() -> str:
    """Random, and never taken for an option on a command line."""
    while (client_id := opaque_tokens.mint(16)).startswith("-"):
        pass
    return client_id


def _add_secret(
    db: Transaction, client_id: str, now: datetime, metadata: ClientMetadata, vault: Vault | None
) -> str:
    secret, row_id, sealed = opaque_tokens.mint(), new_id(now), None
    if metadata.token_endpoint_auth_method == "client_secret_jwt":
        if vault is None:
            raise ValueError("a secret that signs is kept sealed: this needs the vault")
        sealed = vault.seal(_SECRET, secret.encode("ascii"), row_id.encode("ascii"))
    db.session.add(
        ClientSecret(
            id=row_id,
            client_id=client_id,
            digest=opaque_tokens.digest(secret),
            sealed=sealed,
            created_at=now,
        )
    )
    return secret


__all__ = [
    "Client",
    "ClientMetadata",
    "ClientType",
    "NewClient",
    "UnknownClientError",
    "at_revision",
    "change",
    "create",
    "find",
    "is_origin",
    "list_clients",
    "load",
    "rotate_secret",
]
