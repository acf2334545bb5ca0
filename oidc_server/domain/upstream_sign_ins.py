"""Sign-ins that other providers are asked for: where each came from, for one browser only.

A row is made when the browser leaves, answered once by whoever knows its `state`, and, for somebody
who has no account here yet, keeps for minutes what the provider said until they decide.
"""

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text, bindparam, delete, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain.base import (
    Base,
    Identifier,
    Instant,
    OptionalDocument,
    delete_some,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.domain.identity_providers import IdentityProvider, IdentityProviderRow
from oidc_server.security import base64url, opaque_tokens
from oidc_server.security.encryption import Vault

LIFETIME = timedelta(minutes=15)
"""Time to sign in there, and once more to decide here."""
_PURPOSE = "upstream-sign-in"


class UpstreamSignInRow(Base):
    """With `session_id`, that session wants another account linked, and nobody signs in.

    `fresh_since` is when the person must have signed in at the provider at the earliest.
    `told` is what the provider said, from `proven_at` on.
    """

    __tablename__ = "upstream_sign_ins"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    state_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary)
    provider_id: Mapped[str] = mapped_column(
        Identifier, ForeignKey("identity_providers.id"), index=True
    )
    user_id: Mapped[str | None] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    session_id: Mapped[str | None] = mapped_column(Identifier)
    request_id: Mapped[str | None] = mapped_column(Identifier)
    return_to: Mapped[str | None] = mapped_column(Text)
    fresh_since: Mapped[datetime | None] = mapped_column(Instant)
    told: Mapped[dict[str, Any] | None] = mapped_column(OptionalDocument)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    proven_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a browser leaves for a provider; for what the members mean see `UpstreamSignInRow`."""

    request_id: str | None = None
    return_to: str | None = None
    fresh_since: datetime | None = None
    user_id: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class UpstreamSignIn:
    """One of them, as whoever goes on with it needs it."""

    id: str
    provider_id: str
    user_id: str | None
    session_id: str | None
    request_id: str | None
    return_to: str | None
    fresh_since: datetime | None
    told: Mapping[str, Any] | None
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What goes along with one request to a provider; all of it follows from `state`."""

    state: str
    nonce: str
    code_verifier: str


_sign_ins = table_of(UpstreamSignInRow)
_providers = table_of(IdentityProviderRow)
_COLUMNS = [_sign_ins.c[name] for name in UpstreamSignIn.__dataclass_fields__]
_now = bindparam("now", type_=Instant)
_proven = (
    _sign_ins.c.id == bindparam("sign_in_id"),
    _sign_ins.c.browser_digest == bindparam("browser"),
    _sign_ins.c.proven_at.is_not(None),
    _sign_ins.c.ended_at.is_(None),
    _sign_ins.c.expires_at > _now,
)
_INSERT = Statement(
    insert(_sign_ins).from_select(
        [column.name for column in _sign_ins.columns],
        select(*[bindparam(column.name, type_=column.type) for column in _sign_ins.columns])
        .where(_providers.c.id == bindparam("provider_id"))
        .with_for_update(read=True),  # whoever removes the provider comes after, and removes this
    )
)
_ANSWER = Statement(
    update(_sign_ins)
    .where(
        _sign_ins.c.state_digest == bindparam("state"),
        _sign_ins.c.browser_digest == bindparam("browser"),
        _sign_ins.c.provider_id == bindparam("at"),
        _sign_ins.c.answered_at.is_(None),
        _sign_ins.c.expires_at > _now,
    )
    .values(answered_at=_now)
    .returning(*_COLUMNS)
)
_KEEP = Statement(
    update(_sign_ins)
    .where(_sign_ins.c.id == bindparam("sign_in_id"), _sign_ins.c.ended_at.is_(None))
    .values(
        told=bindparam("said", type_=OptionalDocument),
        proven_at=_now,
        expires_at=bindparam("until"),
    )
)
_FIND_PROVEN = Statement(select(*_COLUMNS).where(*_proven))
_FINISH = Statement(update(_sign_ins).where(*_proven).values(ended_at=_now, told=null()))
_REMOVE_ALL = Statement(delete(_sign_ins).where(_sign_ins.c.provider_id == bindparam("at")))
_PRUNE = Statement(
    delete_some(
        _sign_ins, or_(_sign_ins.c.expires_at < bindparam("now"), _sign_ins.c.ended_at.is_not(None))
    )
)


def begin(
    db: Transaction,
    vault: Vault,
    provider: IdentityProvider,
    browser: str,
    reason: Reason,
    now: datetime,
) -> Attempt:
    """Remember that a browser leaves for a provider, and where it shall come back to.

    Raises `ConflictError` if the provider was removed meanwhile.
    """
    state = opaque_tokens.mint()
    begun = db.run(
        _INSERT,
        id=new_id(now),
        state_digest=opaque_tokens.digest(state),
        browser_digest=opaque_tokens.digest(browser),
        provider_id=provider.id,
        told=None,
        created_at=now,
        expires_at=now + LIFETIME,
        answered_at=None,
        proven_at=None,
        ended_at=None,
        **asdict(reason),
    )
    if not begun:
        raise ConflictError("the provider was removed")
    return attempt_of(vault, state)


def attempt_of(vault: Vault, state: str) -> Attempt:
    """What went along with this `state`: a dump of the database does not hold it."""
    key = vault.derive(_PURPOSE)
    nonce, verifier = (
        base64url.encode(hmac.digest(key, f"{use}:{state}".encode(), "sha256"))
        for use in ("nonce", "code_verifier")
    )
    return Attempt(state, nonce, verifier)


def answer(
    db: Transaction, provider: IdentityProvider, state: str, browser: str, now: datetime
) -> UpstreamSignIn | None:
    """The sign-in that an answer of this provider belongs to; there is one answer to each.

    None for a `state` that nobody has, was answered, is of another browser, or of another provider.
    """
    row = db.first(
        _ANSWER,
        state=opaque_tokens.digest(state),
        browser=opaque_tokens.digest(browser),
        at=provider.id,
        now=now,
    )
    return UpstreamSignIn(*row) if row else None


def keep(db: Transaction, sign_in: UpstreamSignIn, told: Mapping[str, Any], now: datetime) -> None:
    """Keep what the provider said until the person has decided."""
    db.later(_KEEP, sign_in_id=sign_in.id, said=dict(told), now=now, until=now + LIFETIME)


def find_proven(
    db: Transaction, sign_in_id: str, browser: str, now: datetime
) -> UpstreamSignIn | None:
    """One that waits for a decision in this browser."""
    row = db.first(_FIND_PROVEN, **given) if (given := _key(sign_in_id, browser, now)) else None
    return UpstreamSignIn(*row) if row else None


def finish(db: Transaction, sign_in: UpstreamSignIn, browser: str, now: datetime) -> bool:
    """The person has decided; False if they had before. What the provider said is forgotten."""
    given = _key(sign_in.id, browser, now)
    return given is not None and db.run(_FINISH, **given) == 1


def delete_all_at(db: Transaction, provider_id: str) -> None:
    """Forget all that are asked of a provider. It is a part of `endings.remove_provider`."""
    db.later(_REMOVE_ALL, at=provider_id)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete what is over; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)


def _key(sign_in_id: str, browser: str, now: datetime) -> dict[str, object] | None:
    parsed = parse_id(sign_in_id)
    if parsed is None:
        return None
    return {"sign_in_id": parsed, "browser": opaque_tokens.digest(browser), "now": now}
