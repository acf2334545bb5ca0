"""Keep requests that clients push, and what consents are about."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("authorization_requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("request_uri_digest", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("request_uri_expires_at", sa.BigInteger(), nullable=True))
        batch_op.create_unique_constraint(
            batch_op.f("uq_authorization_requests_request_uri_digest"), ["request_uri_digest"]
        )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resources", sa.Text(), nullable=False, server_default=""))
        # Nobody knows what the people saw who said yes before: each is asked once more.
        batch_op.add_column(sa.Column("shown", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_column("shown")
        batch_op.drop_column("resources")
    # Requests that wait to be opened would be found by nobody.
    op.execute("DELETE FROM authorization_requests WHERE request_uri_digest IS NOT NULL")
    with op.batch_alter_table("authorization_requests", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("uq_authorization_requests_request_uri_digest"), type_="unique"
        )
        batch_op.drop_column("request_uri_expires_at")
        batch_op.drop_column("request_uri_digest")
