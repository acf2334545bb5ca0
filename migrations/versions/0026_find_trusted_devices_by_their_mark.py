"""Find trusted devices by their mark."""

from collections.abc import Sequence

from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(op.f("ix_trusted_devices_digest"), "trusted_devices", ["digest"])


def downgrade() -> None:
    op.drop_index(op.f("ix_trusted_devices_digest"), table_name="trusted_devices")
