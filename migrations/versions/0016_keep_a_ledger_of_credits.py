"""Keep a ledger of credits."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_IDENTIFIER = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")
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


def _id(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _IDENTIFIER, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _partial_index(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    _create_accounts("credit_accounts")
    _create_entries("credit_entries")
    _create_reservations("credit_reservations")


def _create_accounts(table: str) -> None:
    op.create_table(
        table,
        _id("user_id"),
        _number("balance"),
        _number("reserved"),
        _number("sequence"),
        _number("updated_at"),
        _check(table, "balance_fits", "balance + reserved <= 100000000000000000"),
        _check(table, "balance_not_negative", "balance >= 0"),
        _check(table, "reserved_not_negative", "reserved >= 0"),
        _reference(table, "user_id", "users.id"),
        sa.PrimaryKeyConstraint("user_id", name=op.f(f"pk_{table}")),
    )


def _create_entries(table: str) -> None:
    op.create_table(
        table,
        _id("id"),
        _id("user_id"),
        _number("sequence"),
        _text("type"),
        _number("amount"),
        _number("balance_change"),
        _number("reserved_change"),
        _number("new_balance"),
        _id("original_id", nullable=True),
        _text("reference_id", nullable=True),
        _text("description", nullable=True),
        _text("client_id"),
        _id("actor_user_id", nullable=True),
        _text("request_id"),
        _number("created_at"),
        _check(table, "effect_of_type", _EFFECTS),
        _check(table, "amount_positive", "amount > 0 AND amount <= 100000000000000000"),
        _check(table, "balance_not_negative", "new_balance >= 0"),
        _check(table, "sequence_positive", "sequence > 0"),
        _reference(table, "original_id", "credit_entries.id"),
        _reference(table, "user_id", "credit_accounts.user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("user_id", "sequence", name=op.f(f"uq_{table}_user_id_sequence")),
    )
    _partial_index(f"ix_{table}_original_id", table, "original_id", "original_id IS NOT NULL")


def _create_reservations(table: str) -> None:
    op.create_table(
        table,
        _id("id"),
        _id("user_id"),
        _text("client_id"),
        _number("amount"),
        _number("expires_at"),
        _number("settled_at", nullable=True),
        _number("captured"),
        _check(table, "captured_at_most_amount", "captured >= 0 AND captured <= amount"),
        _reference(table, "id", "credit_entries.id"),
        _reference(table, "user_id", "credit_accounts.user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    _partial_index(f"ix_{table}_open", table, "expires_at", "settled_at IS NULL")
    op.create_index(op.f(f"ix_{table}_user_id"), table, ["user_id"])


def downgrade() -> None:
    op.drop_table("credit_reservations")
    op.drop_table("credit_entries")
    op.drop_table("credit_accounts")
