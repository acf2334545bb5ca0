"""The tables of clients: metadata, secrets, and the origins of single-page applications."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.domain.base import Base, Document, Identifier, Instant


class ClientRow(Base):
    """A client as stored. Every change raises `revision`, which tells old snapshots."""

    __tablename__ = "clients"
    # In the order of lists.
    __table_args__ = (Index("ix_clients_created_at_client_id", "created_at", "client_id"),)

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
