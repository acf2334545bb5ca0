"""List clients and grants in the order of time."""

from collections.abc import Sequence

from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_clients_created_at_client_id", "clients", ["created_at", "client_id"])
    for column in ("user_id", "client_id"):
        op.create_index(f"ix_grants_{column}_grant_id", "grants", [column, "grant_id"])
        op.drop_index(f"ix_grants_{column}", "grants")


def downgrade() -> None:
    for column in ("user_id", "client_id"):
        op.create_index(f"ix_grants_{column}", "grants", [column])
        op.drop_index(f"ix_grants_{column}_grant_id", "grants")
    op.drop_index("ix_clients_created_at_client_id", "clients")
