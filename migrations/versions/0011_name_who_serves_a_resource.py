"""Name who serves a resource."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("resources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("client_id", sa.Text(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_resources_client_id"), "clients", ["client_id"], ["client_id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("resources", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_resources_client_id"), type_="foreignkey")
        batch_op.drop_column("client_id")
