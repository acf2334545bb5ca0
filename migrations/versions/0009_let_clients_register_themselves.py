"""Let clients register themselves."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _identifier() -> sa.types.TypeEngine[str]:
    return sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    op.create_table(
        "registration_tokens",
        sa.Column("id", _identifier(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_registration_tokens_digest")),
    )
    op.add_column("clients", sa.Column("registration_digest", sa.LargeBinary(), nullable=True))
    op.add_column("clients", sa.Column("registered_with", _identifier(), nullable=True))
    op.add_column("clients", sa.Column("deleted_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    # A table that others refer to is changed in place: SQLite would empty them with a copy of it.
    op.drop_column("clients", "deleted_at")
    op.drop_column("clients", "registered_with")
    op.drop_column("clients", "registration_digest")
    op.drop_table("registration_tokens")
