"""Know people pairwise."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    identifier = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")
    op.create_table(
        "pairwise_subjects",
        sa.Column("sub", identifier, nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("user_id", identifier, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_pairwise_subjects_user_id")
        ),
        sa.PrimaryKeyConstraint("sub", name=op.f("pk_pairwise_subjects")),
        sa.UniqueConstraint("sector", "user_id", name=op.f("uq_pairwise_subjects_sector_user_id")),
    )
    op.create_index(
        op.f("ix_pairwise_subjects_user_id"), "pairwise_subjects", ["user_id"], unique=False
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pairwise_sub", identifier, nullable=True))


def downgrade() -> None:
    # Not in a batch: that would replace the table, and delete the refresh tokens with it.
    op.drop_column("grants", "pairwise_sub")
    op.drop_table("pairwise_subjects")
