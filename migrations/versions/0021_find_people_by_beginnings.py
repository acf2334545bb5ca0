"""Find people by beginnings of their names and addresses."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_ORDERED = ("canonical_username", "canonical_email")


def upgrade() -> None:
    _collate('"C"')
    op.create_index("ix_users_canonical_email_id", "users", ["canonical_email", "id"])
    for name, condition in (
        ("ix_users_disabled", "disabled_at IS NOT NULL"),
        ("ix_users_unverified", "email_verified_at IS NULL"),
    ):
        op.create_index(
            name,
            "users",
            ["canonical_username"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )


def downgrade() -> None:
    for name in ("ix_users_unverified", "ix_users_disabled", "ix_users_canonical_email_id"):
        op.drop_index(name, "users")
    _collate('"default"')


def _collate(collation: str) -> None:
    """SQLite has the order of code points anyway; PostgreSQL makes the indexes anew."""
    if op.get_bind().dialect.name == "postgresql":
        for column in _ORDERED:
            op.execute(f"ALTER TABLE users ALTER COLUMN {column} TYPE text COLLATE {collation}")
