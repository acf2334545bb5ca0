"""Grants: what one authorization gave a client. The row carries its code; tokens carry its id."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    bindparam,
    cast,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain import clients
from oidc_server.domain.base import (
    Base,
    Identifier,
    Instant,
    OptionalDocument,
    WordSet,
    delete_some,
    insert_all,
    new_id,
    table_of,
)
from oidc_server.domain.clients import ClientRow
from oidc_server.domain.consents import Consent
from oidc_server.domain.user_sessions import UserSession
from oidc_server.domain.users import User
from oidc_server.security import opaque_tokens

_HOLDS = text("revoked_at IS NULL")


class Grant(Base):
    """One authorization. A spent code stays with it: a replay is seen, and kills it."""

    __tablename__ = "grants"
    # In the order of lists, without what is revoked; ids count up with time.
    __table_args__ = tuple(
        Index(
            f"ix_grants_{'_'.join(columns)}_not_revoked",
            *columns,
            sqlite_where=_HOLDS,
            postgresql_where=_HOLDS,
        )
        for columns in (("grant_id",), ("user_id", "grant_id"), ("client_id", "grant_id"))
    )

    grant_id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"))
    pairwise_sub: Mapped[str | None] = mapped_column(Identifier)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.client_id"))
    session_id: Mapped[str | None] = mapped_column(Identifier, index=True)
    sid: Mapped[str | None] = mapped_column(Text)
    scopes: Mapped[frozenset[str]] = mapped_column(WordSet)
    resources: Mapped[frozenset[str]] = mapped_column(WordSet)
    code_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    code_expires_at: Mapped[datetime | None] = mapped_column(Instant)
    redirect_uri: Mapped[str | None] = mapped_column(Text)
    code_challenge: Mapped[str | None] = mapped_column(Text)
    redeemed_at: Mapped[datetime | None] = mapped_column(Instant)
    nonce: Mapped[str | None] = mapped_column(Text)
    claims: Mapped[dict[str, Any] | None] = mapped_column(OptionalDocument)
    dpop_jkt: Mapped[str | None] = mapped_column(Text)
    auth_time: Mapped[datetime] = mapped_column(Instant)
    acr: Mapped[str | None] = mapped_column(Text)
    amr: Mapped[frozenset[str]] = mapped_column(WordSet)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant as the token endpoint needs it, together with whether its user may still use it."""

    grant_id: str
    user_id: str
    pairwise_sub: str | None
    client_id: str
    session_id: str | None
    sid: str | None
    scopes: frozenset[str]
    resources: frozenset[str]
    code_expires_at: datetime | None
    redirect_uri: str | None
    code_challenge: str | None
    redeemed_at: datetime | None
    nonce: str | None
    claims: dict[str, Any] | None
    dpop_jkt: str | None
    auth_time: datetime
    acr: str | None
    amr: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    user_disabled_at: datetime | None

    @property
    def sub(self) -> str:
        """What the client is told of who it is (Core §8)."""
        return self.pairwise_sub or self.user_id

    @property
    def outlives_session(self) -> bool:
        """Whether it goes on after its browser session has ended (Core §11)."""
        return self.session_id is None or "offline_access" in self.scopes

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and self.user_disabled_at is None and now < self.expires_at


_grants = table_of(Grant)
_users = table_of(User)
_clients = table_of(ClientRow)
_sessions = table_of(UserSession)
_consents = table_of(Consent)

GRANTED_COLUMNS = (
    *[_grants.c[name] for name in Granted.__dataclass_fields__ if name in _grants.c],
    _users.c.disabled_at.label("user_disabled_at"),
)
_INSERT = Statement(insert_all(_grants))
_in_session = (
    select(*[bindparam(column.name, type_=column.type) for column in _grants.columns])
    .where(_sessions.c.id == bindparam("session_id"), _sessions.c.ended_at.is_(None))
    .with_for_update(read=True)  # ending the session waits for this, and then revokes the grant
)
_with_consent = _in_session.where(
    _consents.c.user_id == bindparam("user_id"), _consents.c.client_id == bindparam("client_id")
)
_names = [column.name for column in _grants.columns]
_INSERT_IN_SESSION = Statement(insert(_grants).from_select(_names, _in_session))
_INSERT_WITH_CONSENT = Statement(insert(_grants).from_select(_names, _with_consent))
_FIND_BY_CODE = Statement(
    select(*GRANTED_COLUMNS, clients.LIVE_REVISION)
    .select_from(_grants)
    .join(_users, _users.c.id == _grants.c.user_id)
    .join(_clients, _clients.c.client_id == _grants.c.client_id)
    .where(_grants.c.code_digest == bindparam("presented"))
)
_FIND = Statement(
    select(*GRANTED_COLUMNS)
    .join(_users, _users.c.id == _grants.c.user_id)
    .where(_grants.c.grant_id == bindparam("of_grant"))
)
_REDEEM = Statement(
    update(_grants)
    .where(
        _grants.c.grant_id == bindparam("of_grant"),
        _grants.c.redeemed_at.is_(None),
        _grants.c.revoked_at.is_(None),
    )
    .values(redeemed_at=bindparam("now"))
)
_BURN = Statement(
    update(_grants)
    .where(_grants.c.grant_id == bindparam("of_grant"), _grants.c.revoked_at.is_(None))
    .values(
        redeemed_at=func.coalesce(_grants.c.redeemed_at, bindparam("now", type_=Instant)),
        revoked_at=bindparam("now", type_=Instant),
    )
)
_REVOKE = Statement(
    update(_grants)
    .where(_grants.c.grant_id == bindparam("of_grant"), _grants.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_REVOKE_OF_SESSION = Statement(
    update(_grants)
    .where(
        _grants.c.session_id == bindparam("of_session"),
        _grants.c.revoked_at.is_(None),
        ~(" " + _grants.c.scopes.cast(Text) + " ").like("% offline_access %"),
    )
    .values(revoked_at=bindparam("now"))
)
_REVOKE_OF_USER = Statement(
    update(_grants)
    .where(
        _grants.c.user_id == bindparam("of_user"),
        _grants.c.revoked_at.is_(None),
        or_(
            cast(bindparam("of_client"), Text).is_(None),
            _grants.c.client_id == bindparam("of_client", type_=Text),
        ),
    )
    .values(revoked_at=bindparam("now"))
)
_REVOKE_OF_CLIENT = Statement(
    update(_grants)
    .where(_grants.c.client_id == bindparam("of_client"), _grants.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_PRUNE = Statement(delete_some(_grants, _grants.c.expires_at < bindparam("long_ago")))
_KEPT_AFTER_EXPIRY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What was decided: who gives which client what, and how they proved themselves."""

    user_id: str
    pairwise_sub: str | None
    """From `subjects.pairwise_sub`: whoever writes a grant has to ask."""
    client_id: str
    scopes: frozenset[str]
    resources: frozenset[str]
    auth_time: datetime
    amr: frozenset[str]
    acr: str | None
    session_id: str | None = None
    sid: str | None = None
    nonce: str | None = None
    claims: dict[str, Any] | None = None
    """The `claims` parameter (Core §5.5): what was asked for one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTerms:
    """What the holder of the code must show, and until when (RFC 6749 §4.1.3, RFC 7636 §4.4)."""

    redirect_uri: str
    code_challenge: str | None
    expires_at: datetime
    dpop_jkt: str | None = None


def mint(
    db: Transaction, authorization: Authorization, now: datetime, lifetime: timedelta
) -> Granted:
    """Give access without a code: for grants that answer at the token endpoint at once."""
    values = _values(authorization, now, lifetime)
    db.later(_INSERT, code_digest=None, **values)
    return Granted(**values, user_disabled_at=None)


def mint_code(
    db: Transaction,
    authorization: Authorization,
    terms: CodeTerms,
    now: datetime,
    lifetime: timedelta,
    *,
    needs_consent: bool = False,
) -> str:
    """Give access and return the authorization code that fetches it (RFC 6749 §4.1.2).

    It is the last write of its transaction. Raises `ConflictError` if the session has ended
    meanwhile, or, with `needs_consent`, if the consent was withdrawn.
    """
    code = opaque_tokens.mint()
    values = _values(authorization, now, lifetime) | {
        "code_expires_at": terms.expires_at,
        "redirect_uri": terms.redirect_uri,
        "code_challenge": terms.code_challenge,
        "dpop_jkt": terms.dpop_jkt,
    }
    digest = opaque_tokens.digest(code)
    statement = _INSERT_WITH_CONSENT if needs_consent else _INSERT_IN_SESSION
    if not db.conclude(statement, code_digest=digest, **values):
        raise ConflictError("the session has ended, or the consent was withdrawn")
    return code


def _values(authorization: Authorization, now: datetime, lifetime: timedelta) -> dict[str, Any]:
    return {
        "grant_id": new_id(now),
        "user_id": authorization.user_id,
        "pairwise_sub": authorization.pairwise_sub,
        "client_id": authorization.client_id,
        "session_id": authorization.session_id,
        "sid": authorization.sid,
        "scopes": authorization.scopes,
        "resources": authorization.resources,
        "code_expires_at": None,
        "redirect_uri": None,
        "code_challenge": None,
        "redeemed_at": None,
        "nonce": authorization.nonce,
        "claims": authorization.claims,
        "dpop_jkt": None,
        "auth_time": authorization.auth_time,
        "acr": authorization.acr,
        "amr": authorization.amr,
        "created_at": now,
        "expires_at": now + lifetime,
        "revoked_at": None,
    }


def find_by_code(db: Transaction, code: str) -> Granted | None:
    """The grant of this code, spent or not; its client is primed. Reading claims nothing."""
    row = db.first(_FIND_BY_CODE, presented=opaque_tokens.digest(code))
    if row is None:
        return None
    granted = Granted(*row[: len(GRANTED_COLUMNS)])
    clients.prime(db, granted.client_id, row.live_revision)
    return granted


def find(db: Transaction, grant_id: str) -> Granted | None:
    """The grant of this id, active or not."""
    row = db.first(_FIND, of_grant=grant_id)
    return Granted(*row) if row else None


def redeem(db: Transaction, grant_id: str, now: datetime) -> bool:
    """Spend the code once: one conditional UPDATE, so of two callers one wins (RFC 6749 §4.1.2).

    It is the last write of its transaction.
    """
    return db.conclude(_REDEEM, of_grant=grant_id, now=now) == 1


def burn(db: Transaction, grant_id: str, now: datetime) -> None:
    """Spend the code and revoke the grant, so that nothing can be had for it any more."""
    db.later(_BURN, of_grant=grant_id, now=now)


def revoke(db: Transaction, grant_id: str, now: datetime) -> bool:
    """End a grant: every token that carries its id is dead from here on."""
    return db.run(_REVOKE, of_grant=grant_id, now=now) == 1


def revoke_of_session(db: Transaction, session_id: str, now: datetime) -> None:
    """End the grants that were to end with this browser session (those without offline access)."""
    db.later(_REVOKE_OF_SESSION, of_session=session_id, now=now)


def revoke_of_user(
    db: Transaction, user_id: str, now: datetime, client_id: str | None = None
) -> int:
    """End every grant of a person, or those to one client; returns how many there were."""
    return db.run(_REVOKE_OF_USER, of_user=user_id, of_client=client_id, now=now)


def revoke_of_client(db: Transaction, client_id: str, now: datetime) -> None:
    """End every grant that a client holds."""
    db.later(_REVOKE_OF_CLIENT, of_client=client_id, now=now)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete grants a day after their absolute end; until then a replay of their code is seen."""
    return db.run(_PRUNE, long_ago=now - _KEPT_AFTER_EXPIRY, batch=limit)
