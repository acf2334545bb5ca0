"""Offer passkeys."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TABLE = "passkey_offers"
_IDENTIFIER = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("user_id", _IDENTIFIER, nullable=False),
        sa.Column("offered_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_passkey_offers_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_passkey_offers")),
    )


def downgrade() -> None:
    op.drop_table(_TABLE)
