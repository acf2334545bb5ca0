"""Keep claims and DPoP keys with grants."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("claims", document, nullable=True))
        batch_op.add_column(sa.Column("dpop_jkt", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_column("dpop_jkt")
        batch_op.drop_column("claims")
