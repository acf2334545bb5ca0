"""What people allowed clients: remembered, widened, withdrawn."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Identifier, Instant, Words, table_of


class Consent(Base):
    """The scopes one person allowed one client, all of them together."""

    __tablename__ = "consents"

    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.client_id"), primary_key=True)
    scopes: Mapped[frozenset[str]] = mapped_column(Words)
    granted_at: Mapped[datetime] = mapped_column(Instant)


_consents = table_of(Consent)
_FIND = Statement(
    select(_consents.c.scopes).where(
        _consents.c.user_id == bindparam("user_id"), _consents.c.client_id == bindparam("client_id")
    )
)
_LOCK = Statement(
    select(_consents.c.scopes)
    .where(
        _consents.c.user_id == bindparam("user_id"), _consents.c.client_id == bindparam("client_id")
    )
    .with_for_update()  # two tabs that allow different things must not forget one of them
)
_LIST = Statement(
    select(_consents.c.client_id, _consents.c.granted_at)
    .where(_consents.c.user_id == bindparam("user_id"))
    .order_by(_consents.c.granted_at.desc())
)
_new = insert(_consents).values(
    {column.name: bindparam(column.name) for column in _consents.columns}
)
_REMEMBER_FIRST = Statement(_new.on_conflict_do_nothing())
_WIDEN = Statement(
    update(_consents)
    .where(
        _consents.c.user_id == bindparam("of_user"), _consents.c.client_id == bindparam("of_client")
    )
    .values(scopes=bindparam("scopes"), granted_at=bindparam("granted_at"))
)
_FORGET_CLIENT = Statement(delete(_consents).where(_consents.c.client_id == bindparam("client_id")))


def find_scopes(db: Transaction, user_id: str, client_id: str) -> frozenset[str]:
    """The scopes this person allowed this client; empty when there is no consent."""
    row = db.first(_FIND, user_id=user_id, client_id=client_id)
    return row.scopes if row else frozenset()


def remember(
    db: Transaction, user_id: str, client_id: str, scopes: frozenset[str], now: datetime
) -> None:
    """Add to what is allowed. Nothing is taken away here."""
    inserted = db.run(
        _REMEMBER_FIRST, user_id=user_id, client_id=client_id, scopes=scopes, granted_at=now
    )
    if not inserted:
        wider = db.first(_LOCK, user_id=user_id, client_id=client_id).scopes | scopes
        db.run(_WIDEN, of_user=user_id, of_client=client_id, scopes=wider, granted_at=now)


def forget_client(db: Transaction, client_id: str) -> None:
    """What anybody allowed this client is forgotten."""
    db.run(_FORGET_CLIENT, client_id=client_id)


def list_for_user(db: Transaction, user_id: str) -> list[tuple[str, datetime]]:
    """The clients this person allowed something, newest first: (client_id, granted_at)."""
    return [(row.client_id, row.granted_at) for row in db.all(_LIST, user_id=user_id)]
