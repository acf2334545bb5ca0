"""search the audit log, and let nothing be changed in it"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TABLE = "audit_events"
_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_ID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")
_FAILURES = (
    "'sign_in.failed', 'logout.given_up', 'consent.denied', 'device.denied',"
    " 'device.user_code_refused', 'grant.code_replayed', 'grant.refresh_token_replayed',"
    " 'client.authentication_failed'"
)
_UNPROVEN = "'sign_in.failed', 'user.password_reset_asked', 'client.authentication_failed'"
_OF_CLIENTS = (
    "'grant.code_replayed', 'grant.refresh_token_replayed', 'grant.revoked',"
    " 'grant.assertion_accepted', 'token.exchanged', 'token.revoked'"
)
_KNOW_ACTORS = f"""
UPDATE {_TABLE} SET
    outcome = CASE WHEN event IN ({_FAILURES}) THEN 'failure' ELSE 'success' END,
    actor = CASE
        WHEN reference = 'cli' THEN 'command_line'
        WHEN reference = 'jobs' THEN 'server'
        WHEN event IN ({_UNPROVEN}) THEN 'nobody'
        WHEN user_id IS NOT NULL AND event NOT IN ({_OF_CLIENTS}) THEN 'user'
        WHEN client_id IS NOT NULL THEN 'client'
        ELSE 'nobody'
    END
"""  # noqa: S608 - ours
_NAME_THEM = (
    f"UPDATE {_TABLE} SET actor_user_id = user_id WHERE actor = 'user'",  # noqa: S608
    f"UPDATE {_TABLE} SET actor_client_id = client_id WHERE actor = 'client'",  # noqa: S608
)
_INDEXES = (
    ("event", None),
    ("actor", None),
    ("outcome", "outcome = 'failure'"),
    ("actor_user_id", "actor_user_id IS NOT NULL"),
    ("actor_client_id", "actor_client_id IS NOT NULL"),
    ("user_id", "user_id IS NOT NULL"),
    ("client_id", "client_id IS NOT NULL"),
)
_TOO_YOUNG = "NOT EXISTS (SELECT 1 FROM audit_horizon WHERE id = 1 AND kept_since > OLD.at)"
# By its key: our connections make a sequential scan look so dear that it would be compiled.
_SQLITE = (
    f"""
    CREATE TRIGGER audit_events_unchanged BEFORE UPDATE ON {_TABLE}
    BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END
    """,
    f"""
    CREATE TRIGGER audit_events_kept BEFORE DELETE ON {_TABLE} WHEN {_TOO_YOUNG}
    BEGIN SELECT RAISE(ABORT, 'audit events are kept until their time is over'); END
    """,
)
_POSTGRESQL = (
    f"""
    CREATE FUNCTION audit_events_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT ({_TOO_YOUNG}) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'audit events are never changed, and kept until their time is over'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER audit_events_kept BEFORE UPDATE OR DELETE ON {_TABLE}
    FOR EACH ROW EXECUTE FUNCTION audit_events_keep()
    """,
    """
    CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit events are kept until their time is over'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    f"""
    CREATE TRIGGER audit_events_not_emptied BEFORE TRUNCATE ON {_TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse()
    """,
)


def upgrade() -> None:
    op.create_table(
        "audit_horizon",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kept_since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_horizon")),
    )
    op.drop_index("ix_audit_events_at", _TABLE)
    op.drop_index("ix_audit_events_user_id_at", _TABLE)
    for name in ("outcome", "actor"):
        # The default is for rows that are there, until the next statement.
        op.add_column(_TABLE, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column(_TABLE, sa.Column("actor_user_id", _ID, nullable=True))
    op.add_column(_TABLE, sa.Column("actor_client_id", sa.Text(), nullable=True))
    op.add_column(_TABLE, sa.Column("before", _DOCUMENT, nullable=True))
    op.add_column(_TABLE, sa.Column("after", _DOCUMENT, nullable=True))
    for statement in (_KNOW_ACTORS, *_NAME_THEM):
        op.execute(statement)
    with op.batch_alter_table(_TABLE) as table:
        table.alter_column("outcome", server_default=None)
        table.alter_column("actor", server_default=None)
    for column, condition in _INDEXES:
        where = None if condition is None else sa.text(condition)
        op.create_index(
            f"ix_audit_events_{column}_id",
            _TABLE,
            [column, "id"],
            sqlite_where=where,
            postgresql_where=where,
        )
    for statement in _SQLITE if _is_sqlite() else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if _is_sqlite():
        op.execute("DROP TRIGGER audit_events_unchanged")
        op.execute("DROP TRIGGER audit_events_kept")
    else:
        op.execute(f"DROP TRIGGER audit_events_kept ON {_TABLE}")
        op.execute(f"DROP TRIGGER audit_events_not_emptied ON {_TABLE}")
        op.execute("DROP FUNCTION audit_events_keep()")
        op.execute("DROP FUNCTION audit_events_refuse()")
    for column, _ in _INDEXES:
        op.drop_index(f"ix_audit_events_{column}_id", _TABLE)
    with op.batch_alter_table(_TABLE) as table:
        for name in ("after", "before", "actor_client_id", "actor_user_id", "actor", "outcome"):
            table.drop_column(name)
    op.create_index("ix_audit_events_user_id_at", _TABLE, ["user_id", "at"])
    op.create_index("ix_audit_events_at", _TABLE, ["at"])
    op.drop_table("audit_horizon")


def _is_sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")
