"""Alembic's entry: runs inside a transaction that it is handed, or on a scratch database."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection, text

from oidc_server import domain
from oidc_server.database import create_engine
from oidc_server.schema import going_on

_FIRST_THAT_TELLS = "0030"
"""Before it there is no column, and no program that asks."""


def run(connection: Connection) -> None:
    """Run the migrations in the transaction of `connection`."""
    context.configure(
        connection=connection,
        target_metadata=domain.Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=_render,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        _tell_older_programs(connection)


def _tell_older_programs(connection: Connection) -> None:
    """Write down, in this transaction, which programs may go on."""
    at = context.get_context().get_current_revision()
    if at is None or at < _FIRST_THAT_TELLS:
        return
    oldest = going_on.oldest_program(at, context.script)
    connection.execute(text("UPDATE alembic_version SET oldest_program = :it"), {"it": oldest})


def _render(kind: str, item: object, _autogen: object) -> str | Literal[False]:
    """Write our column types as what they are in the database: a migration outlives our code."""
    if kind == "type":
        match type(item).__name__:
            case "Instant":
                return "sa.BigInteger()"
            case "WordSet":
                return "sa.Text()"
            case "Identifier":
                return 'sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")'
            case "JSON":
                return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    # At the desk (`make migration`): a scratch database shows what the models have and it has not.
    scratch = context.get_x_argument(as_dictionary=True)["scratch"]
    with create_engine(f"sqlite:///{scratch}").connect() as connection, connection.begin():
        run(connection)
