"""Give the outbox queues, and find sessions that nobody has ended."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_PENDING = sa.text("delivered_at IS NULL AND given_up_at IS NULL")
_NOT_ENDED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_due")
        batch_op.add_column(sa.Column("queue", sa.Text(), server_default="mail", nullable=False))
        batch_op.add_column(sa.Column("destination", sa.Text(), nullable=True))
        _index_due(batch_op, ["queue", "next_attempt_at"])
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_user_sessions_not_ended",
            ["idle_expires_at"],
            unique=False,
            sqlite_where=_NOT_ENDED,
            postgresql_where=_NOT_ENDED,
        )


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE queue <> 'mail'")
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_user_sessions_not_ended")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_due")
        batch_op.drop_column("destination")
        batch_op.drop_column("queue")
        _index_due(batch_op, ["next_attempt_at"])


def _index_due(batch_op: BatchOperations, columns: list[str]) -> None:
    batch_op.create_index(
        "ix_outbox_due",
        columns,
        unique=False,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
