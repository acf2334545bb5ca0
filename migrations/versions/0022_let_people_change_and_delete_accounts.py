"""Let people change addresses with codes, and delete their accounts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_IDS = ("id", "at", "event", "outcome", "actor", "actor_user_id", "actor_client_id")
_KEPT = (*_IDS, "user_id", "client_id", "reference")
_PERSONAL = (
    ("address", "NEW.address = ''"),
    ("user_agent", "NEW.user_agent = ''"),
    ("detail", "CAST(NEW.detail AS TEXT) = '{}'"),
    ("before", "NEW.before IS NULL"),
    ("after", "NEW.after IS NULL"),
)
_REFUSAL = "audit events are never changed, and kept until their time is over"
_WAITING = sa.text("deletes_at IS NOT NULL AND deleted_at IS NULL")


def _is_erasure(same: str) -> str:
    """Whether an UPDATE does nothing but forget what is personal of somebody who is deleted."""
    kept = [f"NEW.{name} {same} OLD.{name}" for name in _KEPT]
    emptied = [f"(NEW.{name} {same} OLD.{name} OR {empty})" for name, empty in _PERSONAL]
    deleted = (
        "EXISTS (SELECT 1 FROM users WHERE id IN (OLD.user_id, OLD.actor_user_id)"
        " AND deleted_at IS NOT NULL)"
    )
    return " AND ".join([*kept, *emptied, deleted])


_TOO_YOUNG = "NOT EXISTS (SELECT 1 FROM audit_horizon WHERE id = 1 AND kept_since > OLD.at)"
_POSTGRESQL = """
CREATE OR REPLACE FUNCTION audit_events_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {erasure}
    IF TG_OP = 'DELETE' AND NOT ({too_young}) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '{refusal}'
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_SQLITE = """
CREATE TRIGGER audit_events_unchanged BEFORE UPDATE ON audit_events {when}
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END
"""


def _guard_audit_log(*, with_erasure: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_events_unchanged")
        op.execute(_SQLITE.format(when=f"WHEN NOT ({_is_erasure('IS')})" if with_erasure else ""))
        return
    erasure = (
        f"IF TG_OP = 'UPDATE' THEN IF {_is_erasure('IS NOT DISTINCT FROM')} THEN RETURN NEW;"
        " END IF; END IF;"
    )
    op.execute(
        _POSTGRESQL.format(
            erasure=erasure if with_erasure else "", too_young=_TOO_YOUNG, refusal=_REFUSAL
        )
    )


def upgrade() -> None:
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.add_column(sa.Column("code_expires_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("code_guesses", sa.Integer(), server_default="0", nullable=False)
        )
    with op.batch_alter_table("refresh_tokens", schema=None) as batch_op:
        batch_op.add_column(sa.Column("used_at", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("users", schema=None) as batch_op:
        for name in ("deletes_at", "returns_until", "deleted_at"):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_users_deletes_at",
            ["deletes_at"],
            unique=False,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        )
    _guard_audit_log(with_erasure=True)


def downgrade() -> None:
    _guard_audit_log(with_erasure=False)
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index("ix_users_deletes_at")
        for name in ("deleted_at", "returns_until", "deletes_at"):
            batch_op.drop_column(name)
    with op.batch_alter_table("refresh_tokens", schema=None) as batch_op:
        batch_op.drop_column("used_at")
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_column("code_guesses")
        batch_op.drop_column("code_expires_at")
