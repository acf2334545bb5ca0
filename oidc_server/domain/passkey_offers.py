"""Who was offered a passkey after a sign-in with a password, and may be asked again from when on.

It is offered once in a while to somebody who has none, and never again once they say so.
"""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Identifier, Instant, insert_all, table_of

_AGAIN_AFTER = timedelta(days=30)
_NEVER_AGAIN = timedelta(days=100 * 365)


class PasskeyOffer(Base):
    """The last offer to a person. `offered_at` is the `auth_time` of the sign-in it came after."""

    __tablename__ = "passkey_offers"

    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), primary_key=True)
    offered_at: Mapped[datetime] = mapped_column(Instant)
    not_before: Mapped[datetime] = mapped_column(Instant)


_offers = table_of(PasskeyOffer)
_new = insert_all(_offers)
_MAKE = Statement(
    _new.on_conflict_do_update(
        index_elements=[_offers.c.user_id],
        set_={"offered_at": _new.excluded.offered_at, "not_before": _new.excluded.not_before},
        where=_offers.c.not_before <= _new.excluded.offered_at,
    ).returning(_offers.c.user_id)
)
_FIND = Statement(
    select(_offers.c.offered_at).where(
        _offers.c.user_id == bindparam("of_user"),
        _offers.c.offered_at == bindparam("at", type_=Instant),
    )
)
_DECLINE = Statement(
    update(_offers)
    .where(_offers.c.user_id == bindparam("of_user"))
    .values(not_before=bindparam("from_then_on"))
)


def make(db: Transaction, user_id: str, now: datetime) -> bool:
    """Offer a passkey to somebody who signs in now; False if it is too soon for that.

    It is one statement: of many sign-ins at once, one shows the offer.
    """
    row = db.first(_MAKE, user_id=user_id, offered_at=now, not_before=now + _AGAIN_AFTER)
    return row is not None


def was_made(db: Transaction, user_id: str, auth_time: datetime) -> bool:
    """Whether this person was offered a passkey by the sign-in of that time."""
    return db.first(_FIND, of_user=user_id, at=auth_time) is not None


def decline(db: Transaction, user_id: str, now: datetime) -> None:
    """Offer this person none any more; they find it in their account."""
    db.later(_DECLINE, of_user=user_id, from_then_on=now + _NEVER_AGAIN)
