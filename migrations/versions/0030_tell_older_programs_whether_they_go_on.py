"""Tell older programs whether they go on.

It stands beside the version, since it is true of exactly that version (ADR 0023).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

only_adds = False  # no program of before asks


def upgrade() -> None:
    op.add_column("alembic_version", sa.Column("oldest_program", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("alembic_version") as batch:
        batch.drop_column("oldest_program")
