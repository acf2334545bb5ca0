"""Leases: who may do a thing that only one process should do at a time, and until when."""

from datetime import datetime, timedelta

from sqlalchemy import Text, and_, bindparam, delete, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.clock import MOST_APART
from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Instant, table_of


class Lease(Base):
    """The name of a thing to do, who may do it, and from when on anybody else may take it."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    holder: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(Instant)


_leases = table_of(Lease)

_wanted = insert(_leases).values(
    name=bindparam("name"), holder=bindparam("holder"), expires_at=bindparam("expires_at")
)
_ACQUIRE = Statement(
    _wanted.on_conflict_do_update(
        index_elements=[_leases.c.name],
        set_={"holder": _wanted.excluded.holder, "expires_at": _wanted.excluded.expires_at},
        where=or_(
            _leases.c.holder == _wanted.excluded.holder,
            _leases.c.expires_at <= bindparam("now", type_=Instant),
            _leases.c.expires_at > bindparam("latest", type_=Instant),
        ),
    ).returning(_leases.c.holder)
)
_RELEASE = Statement(
    delete(_leases).where(
        and_(_leases.c.name == bindparam("name"), _leases.c.holder == bindparam("holder"))
    )
)


def acquire(db: Transaction, name: str, holder: str, now: datetime, duration: timedelta) -> bool:
    """Take or prolong the lease `name` until `now + duration`; False while another one holds it.

    One conditional upsert, so of several who ask at once one wins. A lease that lasts longer than
    any that could be taken now is from before the clock was set back, and holds nobody up.
    """
    row = db.first(
        _ACQUIRE,
        name=name,
        holder=holder,
        now=now,
        expires_at=now + duration,
        latest=now + duration + MOST_APART,
    )
    return row is not None


def release(db: Transaction, name: str, holder: str) -> None:
    """Give the lease back early; nothing happens if somebody else holds it by now."""
    db.later(_RELEASE, name=name, holder=holder)
