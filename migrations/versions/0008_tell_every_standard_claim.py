"""Tell every standard claim."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TEXTS = (
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
)


def upgrade() -> None:
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    for name in _TEXTS:
        op.add_column("users", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("users", sa.Column("phone_number_verified_at", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("address", document, nullable=True))


def downgrade() -> None:
    # Not in a batch: that would replace the table, which others refer to.
    for name in ("address", "phone_number_verified_at", *reversed(_TEXTS)):
        op.drop_column("users", name)
