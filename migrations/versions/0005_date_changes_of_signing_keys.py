"""Date changes of signing keys."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("published_at", sa.BigInteger(), nullable=True))
        batch_op.alter_column("private_sealed", existing_type=sa.LargeBinary(), nullable=True)
    op.execute("UPDATE signing_keys SET published_at = created_at")
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.alter_column("published_at", existing_type=sa.BigInteger(), nullable=False)


def downgrade() -> None:
    # Without its private half a key was never stored before: such a key signs no more.
    op.execute("DELETE FROM signing_keys WHERE private_sealed IS NULL")
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.alter_column("private_sealed", existing_type=sa.LargeBinary(), nullable=False)
        batch_op.drop_column("published_at")
