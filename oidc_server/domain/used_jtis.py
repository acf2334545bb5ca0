"""`jti` values that were used: each once, over all nodes (RFC 7519 §4.1.7, RFC 7523 §3).

Client assertions, JWT bearer grants and DPoP proofs share the table, each kind in a namespace of
its own. A backup does not know what was used after it was made, so after a restore one row stands
for everything that can have been used before it (ADR 0020).
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, and_, bindparam, cast, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Instant, delete_some, insert_all, table_of


class UsedJti(Base):
    """One use, until a token with this `jti` would have expired anyway."""

    __tablename__ = "used_jtis"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


_ALL_BEFORE_RESTORE = hashlib.sha256(b"restore").digest()
"""No digest of a triple: those hold separators."""
_KEPT = timedelta(hours=2)
"""The row of a restore is pruned after it; whatever lives by a `jti` is over by then."""

_used = table_of(UsedJti)
_digest_sent = bindparam("digest", type_=LargeBinary)
_expires_sent = bindparam("expires_at", type_=Instant)
_may_be_of_before = and_(
    _used.c.digest == _ALL_BEFORE_RESTORE,
    _used.c.expires_at >= bindparam("usable_from_kept", type_=Instant),
)
_CLAIM = Statement(
    insert(_used)
    .from_select(
        ["digest", "expires_at"],
        select(cast(_digest_sent, LargeBinary), cast(_expires_sent, Instant)).where(
            ~exists().where(_may_be_of_before)
        ),
    )
    .on_conflict_do_nothing()
)
_FIND = Statement(
    select(_used.c.expires_at).where(or_(_used.c.digest == _digest_sent, _may_be_of_before))
)
_RESTORED = Statement(
    insert_all(_used).on_conflict_do_update(
        index_elements=[_used.c.digest], set_={"expires_at": bindparam("expires_at")}
    )
)
_PRUNE = Statement(delete_some(_used, _used.c.expires_at < bindparam("now")))


def claim(
    db: Transaction,
    namespace: str,
    signer: str,
    jti: str,
    *,
    usable_from: datetime,
    expires_at: datetime,
) -> bool:
    """Use a `jti` of this signer; false if it was used before, or may have been before a restore.

    Claim last, when everything else about the token is known to be good. Before `usable_from` it
    would have been refused, and from `expires_at` on it will be: clocks that differ included.
    """
    digest = _digest(namespace, signer, jti)
    kept = usable_from + _KEPT
    return db.run(_CLAIM, digest=digest, expires_at=expires_at, usable_from_kept=kept) == 1


def is_used(
    db: Transaction, namespace: str, signer: str, jti: str, *, usable_from: datetime
) -> bool:
    """Whether `claim` would fail at this moment."""
    digest = _digest(namespace, signer, jti)
    return db.first(_FIND, digest=digest, usable_from_kept=usable_from + _KEPT) is not None


def use_up_all_before(db: Transaction, now: datetime) -> None:
    """Count as used whatever can have been used until now, since nobody knows what was."""
    db.later(_RESTORED, digest=_ALL_BEFORE_RESTORE, expires_at=now + _KEPT)


def _digest(namespace: str, signer: str, jti: str) -> bytes:
    # What is before the last separator holds none, so no two triples are written alike.
    text = f"{namespace}\0{signer}\0{jti}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Forget uses of tokens that have expired; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)
