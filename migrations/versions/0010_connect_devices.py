"""Connect devices."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    identifier = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")
    op.create_table(
        "device_codes",
        sa.Column("id", identifier, nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("device_code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_code_mac", sa.LargeBinary(), nullable=False),
        sa.Column("user_code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(), nullable=True),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("grant_id", identifier, nullable=True),
        sa.Column("denied_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.client_id"], name=op.f("fk_device_codes_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["grants.grant_id"], name=op.f("fk_device_codes_grant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_codes")),
        sa.UniqueConstraint("device_code_digest", name=op.f("uq_device_codes_device_code_digest")),
        sa.UniqueConstraint("user_code_mac", name=op.f("uq_device_codes_user_code_mac")),
    )
    op.create_index(op.f("ix_device_codes_expires_at"), "device_codes", ["expires_at"])


def downgrade() -> None:
    op.drop_table("device_codes")
