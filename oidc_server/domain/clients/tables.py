"""The tables of clients: metadata, secrets, and the origins of single-page applications."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.domain.base import Base, Document, Identifier, Instant, Ordered

_THERE = text("deleted_at IS NULL")


class ClientRow(Base):
    """A client as stored. Every change raises `revision`, which tells old snapshots."""

    __tablename__ = "clients"
    # In the order of lists, without those that are deleted.
    __table_args__ = (
        Index(
            "ix_clients_created_at_client_id",
            "created_at",
            "client_id",
            sqlite_where=_THERE,
            postgresql_where=_THERE,
        ),
        Index(
            "ix_clients_canonical_name_client_id",
            "canonical_name",
            "client_id",
            sqlite_where=_THERE,
            postgresql_where=_THERE,
        ),
    )

    client_id: Mapped[str] = mapped_column(Text, primary_key=True)
    revision: Mapped[int]
    type: Mapped[str] = mapped_column(Text)
    # `metadata` is taken by the declarative base.
    client_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", Document)
    # What its name begins with, as people type it: by it a search finds the client.
    canonical_name: Mapped[str] = mapped_column(Ordered, server_default="")
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
