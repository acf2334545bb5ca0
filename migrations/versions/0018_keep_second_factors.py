"""Keep second factors, and sign-ins that wait for them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_IDENTIFIER = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")
_TABLES = ("factors", "recovery_codes", "pending_sign_ins")


def _id(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _IDENTIFIER, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    _create(
        "factors",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        _at("created_at"),
        _at("confirmed_at", nullable=True),
        _at("last_used_at", nullable=True),
    )
    mailed, unconfirmed = sa.text("kind = 'email_code'"), sa.text("confirmed_at IS NULL")
    op.create_index(
        *("uq_factors_mailed", "factors", ["user_id"]),
        unique=True,
        sqlite_where=mailed,
        postgresql_where=mailed,
    )
    op.create_index(
        *("ix_factors_unconfirmed", "factors", ["created_at"]),
        sqlite_where=unconfirmed,
        postgresql_where=unconfirmed,
    )
    _create(
        "recovery_codes",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _at("created_at"),
        _at("used_at", nullable=True),
    )
    _create(
        "pending_sign_ins",
        sa.Column("browser_digest", sa.LargeBinary(), nullable=False),
        _id("request_id", nullable=True),
        _id("session_id", nullable=True),
        sa.Column("amr", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _id("mailed_code_id", nullable=True),
        _at("created_at"),
        _at("expires_at"),
        _at("ended_at", nullable=True),
        sa.UniqueConstraint("mailed_code_id", name=op.f("uq_pending_sign_ins_mailed_code_id")),
    )
    op.create_index(op.f("ix_pending_sign_ins_expires_at"), "pending_sign_ins", ["expires_at"])


def _create(table: str, *parts: Any) -> None:
    """A table of things that belong to a person."""
    op.create_table(
        table,
        _id("id"),
        _id("user_id"),
        *parts,
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_user_id"), table, ["user_id"])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
