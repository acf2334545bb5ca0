"""Initial access tokens (RFC 7591 §3): an operator's word that somebody may register clients."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    DomainError,
    Identifier,
    Instant,
    WordSet,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.domain.client_metadata import is_scope
from oidc_server.security import opaque_tokens


class RegistrationTokenRow(Base):
    """One initial access token, as a digest, with how often it may be used and was."""

    __tablename__ = "registration_tokens"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[frozenset[str]] = mapped_column(WordSet)
    uses: Mapped[int]
    used: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class UnknownRegistrationTokenError(DomainError):
    """There is no initial access token with this id."""


@dataclass(frozen=True, slots=True)
class RegistrationToken:
    """An initial access token. `scopes` are what its clients may have beyond the standard ones."""

    id: str
    scopes: frozenset[str]
    uses: int
    used: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and self.used < self.uses and now < self.expires_at


_tokens = table_of(RegistrationTokenRow)
_COLUMNS = tuple(_tokens.c[name] for name in RegistrationToken.__dataclass_fields__)
_FIND = Statement(select(*_COLUMNS).where(_tokens.c.digest == bindparam("presented")))
_GET = Statement(select(*_COLUMNS).where(_tokens.c.id == bindparam("token_id")))
_LIST = Statement(select(*_COLUMNS).order_by(_tokens.c.id))
_CLAIM = Statement(
    update(_tokens)
    .where(
        _tokens.c.id == bindparam("token_id"),
        _tokens.c.used < _tokens.c.uses,
        _tokens.c.revoked_at.is_(None),
        _tokens.c.expires_at > bindparam("now"),
    )
    .values(used=_tokens.c.used + 1)
)
_REVOKE = Statement(
    update(_tokens)
    .where(_tokens.c.id == bindparam("token_id"), _tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def create(
    db: Transaction,
    *,
    uses: int,
    lifetime: timedelta,
    now: datetime,
    scopes: frozenset[str] = frozenset(),
) -> tuple[RegistrationToken, str]:
    """A new token, and its text: that is shown once."""
    for scope in sorted(scopes):
        if not is_scope(scope):
            raise DomainError(f"{scope} is not a scope (RFC 6749 §3.3).")
    text = opaque_tokens.mint()
    row = RegistrationTokenRow(
        id=new_id(now),
        digest=opaque_tokens.digest(text),
        scopes=scopes,
        uses=uses,
        used=0,
        created_at=now,
        expires_at=now + lifetime,
    )
    db.session.add(row)
    return _load(db, row.id), text


def find(db: Transaction, text: str, now: datetime) -> RegistrationToken | None:
    """The token with this text, if it may still be used. Reading claims nothing."""
    row = db.first(_FIND, presented=opaque_tokens.digest(text))
    token = None if row is None else RegistrationToken(*row)
    return token if token is not None and token.holds(now) else None


def claim(db: Transaction, token_id: str, now: datetime) -> bool:
    """Use it once: one conditional UPDATE, so that no two callers share the last use."""
    return db.run(_CLAIM, token_id=token_id, now=now) == 1


def scopes_of(db: Transaction, token_id: str | None) -> frozenset[str]:
    """The scopes that a token, used up or not, gave its clients."""
    return frozenset() if token_id is None else _load(db, token_id).scopes


def list_tokens(db: Transaction) -> list[RegistrationToken]:
    """Every token, oldest first, those that are used up included."""
    return [RegistrationToken(*row) for row in db.all(_LIST)]


def revoke(db: Transaction, token_id: str, now: datetime) -> RegistrationToken:
    """End a token; its clients stay. Raises `UnknownRegistrationTokenError`."""
    token = _load(db, token_id)
    db.later(_REVOKE, token_id=token.id, now=now)
    return _load(db, token.id)


def _load(db: Transaction, token_id: str) -> RegistrationToken:
    known = parse_id(token_id)
    row = None if known is None else db.first(_GET, token_id=known)
    if row is None:
        raise UnknownRegistrationTokenError(f"There is no registration token {token_id}.")
    return RegistrationToken(*row)
