"""Idempotency keys: what was answered to a caller's key, so that a repetition gets the same."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Instant, delete_some, table_of

KEPT_FOR = timedelta(hours=48)
"""How long an answer is repeated at least, as the documentation promises."""


class IdempotencyKey(Base):
    """One key of one caller for one operation. The answer commits with its effect."""

    __tablename__ = "idempotency_keys"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a key was used for, and the answer it got."""

    fingerprint: bytes
    status: int
    body: bytes


_keys = table_of(IdempotencyKey)
_CLAIM = Statement(
    insert(_keys)
    .values({name: bindparam(name) for name in ("digest", "fingerprint", "created_at")})
    .on_conflict_do_nothing()
)
_FIND = Statement(
    select(_keys.c.fingerprint, _keys.c.status, _keys.c.body).where(
        _keys.c.digest == bindparam("of_digest")
    )
)
_KEEP = Statement(
    update(_keys)
    .where(_keys.c.digest == bindparam("of_digest"))
    .values(status=bindparam("answered"), body=bindparam("answer"))
)
_PRUNE = Statement(delete_some(_keys, _keys.c.created_at < bindparam("before")))


def digest(client_id: str, user_id: str | None, operation: str, key: str) -> bytes:
    """What a key is kept under: whoever else sends the same key has another one."""
    return hashlib.sha256(f"{client_id}\0{user_id}\0{operation}\0{key}".encode()).digest()


def claim(db: Transaction, digest: bytes, fingerprint: bytes, now: datetime) -> Kept | None:
    """None if the key is new: it is the caller's now, who must `keep` an answer. Else what it got.

    Who comes while another transaction holds the key waits for its end (the loser of the INSERT on
    PostgreSQL, everybody on SQLite).
    """
    if db.run(_CLAIM, digest=digest, fingerprint=fingerprint, created_at=now) == 1:
        return None
    return Kept(*db.first(_FIND, of_digest=digest))


def keep(db: Transaction, digest: bytes, status: int, body: bytes) -> None:
    """Write down the answer, in the transaction that claimed the key."""
    db.later(_KEEP, of_digest=digest, answered=status, answer=body)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Forget what was answered long ago; returns how many rows went."""
    return db.run(_PRUNE, before=now - KEPT_FOR, batch=limit)
