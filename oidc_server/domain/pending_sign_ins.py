"""Sign-ins between their first step and their second: what was proven, for one browser only.

A row here is no session and leads to none by itself. It lives for minutes, bears few wrong codes,
and is used up by the one sign-in that it was made for.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ForeignKey,
    Integer,
    LargeBinary,
    and_,
    bindparam,
    case,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    Identifier,
    Instant,
    WordSet,
    delete_some,
    insert_all,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.domain.credentials import open_or_returning
from oidc_server.domain.factors.strength import PASSWORD
from oidc_server.domain.user_sessions import LiveSession
from oidc_server.domain.users import User
from oidc_server.security import opaque_tokens
from oidc_server.security.encryption import Vault

LIFETIME = timedelta(minutes=10)
MAILED_CODE_DIGITS = 6
_MOST_FAILURES = 5
_PURPOSE = "mailed-code"


class PendingSignInRow(Base):
    """A half of a sign-in. With `session_id`, that session is the first half, and becomes stronger.

    `mailed_code_id` makes the code that was mailed for it, with a key that is not in the database.
    """

    __tablename__ = "pending_sign_ins"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    request_id: Mapped[str | None] = mapped_column(Identifier)
    session_id: Mapped[str | None] = mapped_column(Identifier)
    amr: Mapped[frozenset[str]] = mapped_column(WordSet)
    failures: Mapped[int] = mapped_column(Integer)
    mailed_code_id: Mapped[str | None] = mapped_column(Identifier, unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """Somebody who has proven `amr` and must prove more. Whoever holds it is not signed in."""

    id: str
    user_id: str
    username: str
    email: str | None
    request_id: str | None
    session_id: str | None
    amr: frozenset[str]
    mailed_code_id: str | None


_pending = table_of(PendingSignInRow)
_users = table_of(User)
_open = and_(
    _pending.c.id == bindparam("pending_id"),
    _pending.c.browser_digest == bindparam("browser"),
    _pending.c.ended_at.is_(None),
    _pending.c.expires_at > bindparam("now", type_=Instant),
)
_one_more = _pending.c.failures + literal_column("1", Integer)

_INSERT = Statement(insert_all(_pending))
_found = (
    select(
        _pending.c.id,
        _pending.c.user_id,
        _users.c.username,
        _users.c.email,
        _pending.c.request_id,
        _pending.c.session_id,
        _pending.c.amr,
        _pending.c.mailed_code_id,
    )
    .join(_users, _users.c.id == _pending.c.user_id)
    .where(
        _open,
        open_or_returning,
    )
)
_FIND = Statement(_found)
_HOLD = Statement(_found.with_for_update(of=_pending))
_FINISH = Statement(update(_pending).where(_open).values(ended_at=bindparam("now", type_=Instant)))
_FAIL = Statement(
    update(_pending)
    .where(_open)
    .values(
        failures=_one_more,
        ended_at=case(
            (
                _one_more >= literal_column(str(_MOST_FAILURES), Integer),
                bindparam("now", type_=Instant),
            )
        ),
    )
    .returning(_pending.c.ended_at)
)
_KEEP_CODE = Statement(update(_pending).where(_open).values(mailed_code_id=bindparam("code_id")))
_PROVE = Statement(update(_pending).where(_open).values(amr=bindparam("proven", type_=WordSet)))
_FIND_CODE = Statement(
    select(_pending.c.id).where(
        _pending.c.mailed_code_id == bindparam("code_id"),
        _pending.c.ended_at.is_(None),
        _pending.c.expires_at > bindparam("now", type_=Instant),
    )
)
_KILL = Statement(
    update(_pending)
    .where(_pending.c.user_id == bindparam("of_user"), _pending.c.ended_at.is_(None))
    .values(ended_at=bindparam("now", type_=Instant))
)
_PRUNE = Statement(delete_some(_pending, _pending.c.expires_at < bindparam("now")))


def begin(
    db: Transaction,
    user_id: str,
    browser: str,
    amr: frozenset[str],
    now: datetime,
    *,
    request_id: str | None = None,
    session_id: str | None = None,
) -> str:
    """Keep what was proven until the next step; returns the id of it.

    `request_id` is the request that the sign-in is for. With `session_id`, it is no new sign-in
    but makes that session stronger.
    """
    pending_id = new_id(now)
    db.later(
        _INSERT,
        id=pending_id,
        browser_digest=opaque_tokens.digest(browser),
        user_id=user_id,
        request_id=request_id,
        session_id=session_id,
        amr=amr,
        failures=0,
        mailed_code_id=None,
        created_at=now,
        expires_at=now + LIFETIME,
        ended_at=None,
    )
    return pending_id


def begin_step_up(
    db: Transaction,
    session: LiveSession,
    browser: str,
    now: datetime,
    *,
    request_id: str | None = None,
) -> str:
    """Have whoever is signed in prove a second factor, be it once more; returns the id of it."""
    return begin(
        db,
        session.user_id,
        browser,
        PASSWORD,
        now,
        request_id=request_id,
        session_id=session.id,
    )


def find(db: Transaction, pending_id: str, browser: str, now: datetime) -> PendingSignIn | None:
    """What waits for its next step; None if it is over, of another browser or a disabled user."""
    given = _key(pending_id, browser, now)
    row = given and db.first(_FIND, **given)
    return PendingSignIn(*row) if row else None


def hold(db: Transaction, pending_id: str, browser: str, now: datetime) -> PendingSignIn | None:
    """The same, for whoever takes that step: nobody else goes on with it, or ends it, meanwhile.

    It comes before what is proven in the step, as it does for who ends them all (ADR 0024).
    """
    given = _key(pending_id, browser, now)
    row = given and db.first(_HOLD, **given)
    return PendingSignIn(*row) if row else None


def finish(db: Transaction, pending: PendingSignIn, browser: str, now: datetime) -> bool:
    """Use it up; False if somebody else did, or it was withdrawn meanwhile."""
    given = _key(pending.id, browser, now)
    return given is not None and db.run(_FINISH, **given) == 1


def fail(db: Transaction, pending: PendingSignIn, browser: str, now: datetime) -> bool:
    """Count a wrong code; False once it was one too many, which ends it."""
    given = _key(pending.id, browser, now)
    row = db.first(_FAIL, **given) if given else None
    return row is not None and row.ended_at is None


def prove(
    db: Transaction, pending: PendingSignIn, browser: str, amr: frozenset[str], now: datetime
) -> bool:
    """Note what is proven now, when still more must be; False if it is over."""
    given = _key(pending.id, browser, now)
    return given is not None and db.run(_PROVE, **given, proven=amr) == 1


def keep_mailed_code(
    db: Transaction, pending: PendingSignIn, browser: str, now: datetime
) -> str | None:
    """Make a code to mail, which voids an earlier one; returns its id, or None if it is over."""
    given, code_id = _key(pending.id, browser, now), new_id(now)
    kept = given is not None and db.run(_KEEP_CODE, **given, code_id=code_id) == 1
    return code_id if kept else None


def has_mailed_code(db: Transaction, code_id: str, now: datetime) -> bool:
    """Whether the code with this id is still good for something."""
    return db.first(_FIND_CODE, code_id=code_id, now=now) is not None


def mailed_code(vault: Vault, code_id: str) -> str:
    """The code with this id, as it is mailed."""
    return _code(vault.derive(_PURPOSE), code_id)


def is_mailed_code(vault: Vault, pending: PendingSignIn, code: str) -> bool:
    """Whether `code` is the one that was mailed last."""
    if pending.mailed_code_id is None:
        return False
    keys = vault.derive_all(_PURPOSE)
    right = [_code(key, pending.mailed_code_id).encode() for key in keys]
    return any(hmac.compare_digest(one, code.encode("utf-8", "replace")) for one in right)


def withdraw_of_user(db: Transaction, user_id: str, now: datetime) -> None:
    """End every half of a sign-in of this person. It is a part of what ends their sessions."""
    db.later(_KILL, of_user=user_id, now=now)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete what has expired; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)


def _key(pending_id: str, browser: str, now: datetime) -> dict[str, object] | None:
    parsed = parse_id(pending_id)
    if parsed is None:
        return None
    return {"pending_id": parsed, "browser": opaque_tokens.digest(browser), "now": now}


def _code(key: bytes, code_id: str) -> str:
    number = int.from_bytes(hmac.digest(key, code_id.encode(), "sha256")[:8])
    return str(number % 10**MAILED_CODE_DIGITS).zfill(MAILED_CODE_DIGITS)
