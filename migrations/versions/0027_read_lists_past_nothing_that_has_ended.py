"""Read lists past nothing that has ended, and find clients by beginnings of their names."""

import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_AT_ONCE = 500
_PARTIAL = (
    ("ix_user_sessions_id_not_ended", "user_sessions", ["id"], "ended_at IS NULL"),
    (
        "ix_user_sessions_user_id_id_not_ended",
        "user_sessions",
        ["user_id", "id"],
        "ended_at IS NULL",
    ),
    ("ix_grants_grant_id_not_revoked", "grants", ["grant_id"], "revoked_at IS NULL"),
    (
        "ix_grants_user_id_grant_id_not_revoked",
        "grants",
        ["user_id", "grant_id"],
        "revoked_at IS NULL",
    ),
    (
        "ix_grants_client_id_grant_id_not_revoked",
        "grants",
        ["client_id", "grant_id"],
        "revoked_at IS NULL",
    ),
    (
        "ix_clients_canonical_name_client_id",
        "clients",
        ["canonical_name", "client_id"],
        "deleted_at IS NULL",
    ),
    (
        "ix_clients_created_at_client_id",
        "clients",
        ["created_at", "client_id"],
        "deleted_at IS NULL",
    ),
)
_WHOLE = (
    ("ix_user_sessions_user_id", "user_sessions", ["user_id"]),
    ("ix_grants_user_id_grant_id", "grants", ["user_id", "grant_id"]),
    ("ix_grants_client_id_grant_id", "grants", ["client_id", "grant_id"]),
    ("ix_clients_created_at_client_id", "clients", ["created_at", "client_id"]),
)
_clients = sa.table(
    "clients",
    sa.column("client_id", sa.Text),
    sa.column("canonical_name", sa.Text),
    sa.column("metadata", sa.JSON),
)


def upgrade() -> None:
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column(
        "clients", sa.Column("canonical_name", ordered, nullable=False, server_default="")
    )
    _name_clients()
    for name, table, _ in _WHOLE:
        op.drop_index(name, table)
    for name, table, columns, condition in _PARTIAL:
        op.create_index(
            name,
            table,
            columns,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )


def downgrade() -> None:
    for name, table, _, _ in reversed(_PARTIAL):
        op.drop_index(name, table)
    for name, table, columns in _WHOLE:
        op.create_index(name, table, columns)
    op.drop_column("clients", "canonical_name")


def _name_clients() -> None:
    """In steps: there may be very many that registered themselves."""
    bind, last = op.get_bind(), ""
    name = _clients.c["metadata"]["client_name"].as_string()
    change = (
        sa.update(_clients)
        .where(_clients.c.client_id == sa.bindparam("of_client"))
        .values(canonical_name=sa.bindparam("canonical"))
    )
    while rows := bind.execute(
        sa.select(_clients.c.client_id, name)
        .where(_clients.c.client_id > last)
        .order_by(_clients.c.client_id)
        .limit(_AT_ONCE)
    ).all():
        bind.execute(
            change,
            [{"of_client": client_id, "canonical": _canonical(name)} for client_id, name in rows],
        )
        last = rows[-1][0]


def _canonical(name: str | None) -> str:
    """As it was when this was written."""
    text = unicodedata.normalize("NFKC", name or "").casefold()
    text = unicodedata.normalize("NFKC", text).translate({0x131: "i", 0x237: "j"})
    return text.replace("i\u0307", "i").strip()[:100]
