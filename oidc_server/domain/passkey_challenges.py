"""Challenges that passkeys sign: each for one browser, one ceremony and five minutes, used once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, Text, bindparam, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Identifier, Instant, delete_some, insert_all, table_of
from oidc_server.security import opaque_tokens

LIFETIME = timedelta(minutes=5)


class Ceremony(StrEnum):
    """What a challenge is for; one made for one ceremony is void for every other."""

    ENROL = "enrol"
    """Somebody who is signed in adds a passkey."""
    SIGN_IN = "sign_in"
    """Somebody unknown says who they are."""
    PROVE = "prove"
    """Somebody who is known proves that it is them."""
    SIGN_UP = "sign_up"
    """Somebody new makes an account with a passkey."""


class PasskeyChallenge(Base):
    """A challenge that was given, by its digest, with whom it was given to."""

    __tablename__ = "passkey_challenges"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    ceremony: Mapped[str] = mapped_column(Text)
    browser: Mapped[bytes] = mapped_column(LargeBinary)
    user_id: Mapped[str | None] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    user_handle: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    spent_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that was used just now. `user_handle` is that of the account to be made."""

    user_id: str | None
    user_handle: bytes | None


_challenges = table_of(PasskeyChallenge)
_MINT = Statement(insert_all(_challenges))
_REDEEM = Statement(
    update(_challenges)
    .where(
        _challenges.c.digest == bindparam("presented"),
        _challenges.c.ceremony == bindparam("of_ceremony"),
        _challenges.c.browser == bindparam("of_browser"),
        _challenges.c.spent_at.is_(None),
        _challenges.c.expires_at > bindparam("now", type_=Instant),
    )
    .values(spent_at=bindparam("now", type_=Instant))
    .returning(_challenges.c.user_id, _challenges.c.user_handle)
)
_PRUNE = Statement(delete_some(_challenges, _challenges.c.expires_at < bindparam("now")))


def mint(
    db: Transaction,
    ceremony: Ceremony,
    *,
    browser: str,
    now: datetime,
    user_id: str | None = None,
    user_handle: bytes | None = None,
) -> str:
    """Make a challenge for this browser: 32 random bytes in base64url, as clients return it."""
    challenge = opaque_tokens.mint()
    db.later(
        _MINT,
        digest=opaque_tokens.digest(challenge),
        ceremony=ceremony.value,
        browser=opaque_tokens.digest(browser),
        user_id=user_id,
        user_handle=user_handle,
        expires_at=now + LIFETIME,
        spent_at=None,
    )
    return challenge


def redeem(
    db: Transaction, challenge: str, ceremony: Ceremony, *, browser: str, now: datetime
) -> Challenge | None:
    """Use a challenge: one conditional UPDATE, so of many callers one gets it.

    None for one that is used, too old, of another browser or ceremony, or not ours.
    """
    row = db.first(
        _REDEEM,
        presented=opaque_tokens.digest(challenge),
        of_ceremony=ceremony.value,
        of_browser=opaque_tokens.digest(browser),
        now=now,
    )
    return Challenge(row.user_id, row.user_handle) if row else None


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete challenges whose time is over; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)
