"""`jti` values that were used: each once, over all nodes (RFC 7519 §4.1.7, RFC 7523 §3).

Client assertions, JWT bearer grants and DPoP proofs share the table, each kind in a namespace of
its own.
"""

import hashlib
from datetime import datetime

from sqlalchemy import LargeBinary, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Instant, delete_some, insert_all, table_of


class UsedJti(Base):
    """One use, until a token with this `jti` would have expired anyway."""

    __tablename__ = "used_jtis"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


_used = table_of(UsedJti)
_CLAIM = Statement(insert_all(_used).on_conflict_do_nothing())
_FIND = Statement(select(_used.c.expires_at).where(_used.c.digest == bindparam("digest")))
_PRUNE = Statement(delete_some(_used, _used.c.expires_at < bindparam("now")))


def claim(db: Transaction, namespace: str, signer: str, jti: str, *, expires_at: datetime) -> bool:
    """Use a `jti` of this signer; false if it was used before.

    Claim last, when everything else about the token is known to be good. `expires_at` is the moment
    from which the token is refused in any case, clocks that differ included.
    """
    return db.run(_CLAIM, digest=_digest(namespace, signer, jti), expires_at=expires_at) == 1


def is_used(db: Transaction, namespace: str, signer: str, jti: str) -> bool:
    """Whether `claim` would fail at this moment."""
    return db.first(_FIND, digest=_digest(namespace, signer, jti)) is not None


def _digest(namespace: str, signer: str, jti: str) -> bytes:
    # What is before the last separator holds none, so no two triples are written alike.
    text = f"{namespace}\0{signer}\0{jti}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Forget uses of tokens that have expired; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)
