"""The rows of the ledger, and what the database refuses whoever asks."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.domain.base import Base, Identifier, Instant, table_of

MAX_AMOUNT = 10**14
"""Hundredths in one entry: 10^12 credits."""
MAX_BALANCE = 10**17
"""Hundredths in one account. Ninety of them still fit into 64 bits."""


class EntryType(StrEnum):
    """What happened to the credit of a user."""

    PURCHASE = "purchase"
    CREDIT_ADDED = "credit_added"
    CREDIT_USED = "credit_used"
    REFUNDED = "refunded"
    RESERVED = "reserved"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"
    ADJUSTED = "adjusted"


class CreditAccount(Base):
    """What the entries of a user add up to: what they may spend, and what is held for others."""

    __tablename__ = "credit_accounts"

    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), primary_key=True)
    balance: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
    sequence: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        CheckConstraint("reserved >= 0", name="reserved_not_negative"),
        CheckConstraint(f"balance + reserved <= {MAX_BALANCE}", name="balance_fits"),
    )


_EFFECTS = (
    "(type IN ('purchase', 'credit_added', 'refunded')"
    " AND balance_change = amount AND reserved_change = 0)"
    " OR (type = 'credit_used' AND balance_change = -amount AND reserved_change = 0)"
    " OR (type = 'reserved' AND balance_change = -amount AND reserved_change = amount)"
    " OR (type = 'captured' AND balance_change = 0 AND reserved_change = -amount)"
    " OR (type IN ('released', 'expired')"
    " AND balance_change = amount AND reserved_change = -amount)"
    " OR (type = 'adjusted' AND abs(balance_change) = amount AND reserved_change = 0)"
)


class CreditEntry(Base):
    """One movement. Nothing updates or deletes it; `sequence` counts up by one for each user."""

    __tablename__ = "credit_entries"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("credit_accounts.user_id"))
    sequence: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    balance_change: Mapped[int] = mapped_column(BigInteger)
    reserved_change: Mapped[int] = mapped_column(BigInteger)
    new_balance: Mapped[int] = mapped_column(BigInteger)
    original_id: Mapped[str | None] = mapped_column(Identifier, ForeignKey("credit_entries.id"))
    reference_id: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    actor_user_id: Mapped[str | None] = mapped_column(Identifier)
    request_id: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("user_id", "sequence"),
        Index(
            "ix_credit_entries_original_id",
            "original_id",
            sqlite_where=text("original_id IS NOT NULL"),
            postgresql_where=text("original_id IS NOT NULL"),
        ),
        CheckConstraint(f"amount > 0 AND amount <= {MAX_BALANCE}", name="amount_positive"),
        CheckConstraint("new_balance >= 0", name="balance_not_negative"),
        CheckConstraint("sequence > 0", name="sequence_positive"),
        CheckConstraint(_EFFECTS, name="effect_of_type"),
    )


class CreditReservation(Base):
    """Credit that is held for a client, until it takes it, gives it back, or the time is over.

    Its id is that of the entry that made it. `captured` is what was taken of it in the end.
    """

    __tablename__ = "credit_reservations"

    id: Mapped[str] = mapped_column(Identifier, ForeignKey("credit_entries.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        Identifier, ForeignKey("credit_accounts.user_id"), index=True
    )
    client_id: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    captured: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index(
            "ix_credit_reservations_open",
            "expires_at",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        CheckConstraint("captured >= 0 AND captured <= amount", name="captured_at_most_amount"),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement as it is told."""

    id: str
    user_id: str
    sequence: int
    type: EntryType
    amount: int
    balance_change: int
    new_balance: int
    reference_id: str | None
    description: str | None
    created_at: datetime


accounts = table_of(CreditAccount)
entries = table_of(CreditEntry)
reservations = table_of(CreditReservation)
