"""Access tokens revoked one by one: their `jti`, until they would have expired anyway."""

from datetime import datetime

from sqlalchemy import Text, bindparam
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Instant, delete_some, insert_all, table_of


class RevokedToken(Base):
    """A revoked access token. There is no row for one that was not revoked."""

    __tablename__ = "revoked_tokens"

    jti: Mapped[str] = mapped_column(Text, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


_revoked = table_of(RevokedToken)
_REVOKE = Statement(insert_all(_revoked).on_conflict_do_nothing())
_PRUNE = Statement(delete_some(_revoked, _revoked.c.expires_at < bindparam("now")))


def revoke(db: Transaction, jti: str, expires_at: datetime) -> bool:
    """Kill one access token (RFC 7009 §2.1); false if it was dead already."""
    return db.run(_REVOKE, jti=jti, expires_at=expires_at) == 1


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Forget tokens that have expired; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)
