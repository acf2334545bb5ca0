"""Proving a password: the one way, shared by the login page and every other door that takes one.

In this order: refuse what cannot be a password, count the guess, read the hash (a transaction of
its own, committed), then compute (the hashing lane, outside any transaction), then settle in the
handler's transaction. An account that does not exist costs as much as one that does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Literal

from oidc_server.database import Transaction
from oidc_server.domain import attempts, credentials, identifiers, users
from oidc_server.domain.attempts import Throttled
from oidc_server.security import passwords
from oidc_server.security.passwords import PasswordHasher
from oidc_server.web import cookies
from oidc_server.web.context import Context

Reason = Literal[
    "malformed",
    "throttled",
    "unknown_user",
    "disabled",
    "no_password",
    "wrong_password",
    "second_factor",
]
"""Why a password was not proven: for the audit log, never for the person who typed it."""


@dataclass(frozen=True, slots=True)
class PasswordProof:
    """What came of a password. `retry_after` is in seconds; `rehash` a better hash of the same."""

    user_id: str | None
    holds: bool
    reason: Reason | None = None
    retry_after: int | None = None
    rehash: str | None = None
    seen: str | None = None
    """The hash that was verified."""
    subject: str | None = None
    """The count that the guess was booked on."""
    may_return: bool = False
    """Whether an account that waits for its deletion counts: signing in brings it back."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that was counted on `subject`; calling it computes what came of it."""

    subject: str
    prove: Callable[[], PasswordProof]

    def __call__(self) -> PasswordProof:
        return self.prove()


def begin(
    ctx: Context, username: str, password: str, *, may_return: bool = False
) -> Guess | PasswordProof:
    """Book the guess and read the hash; returns the computation, or the proof without one."""
    if not username or not _may_be_one(password):
        return PasswordProof(None, holds=False, reason="malformed")
    guessed = identifiers.guessed(username)  # takes time, be there an account or not
    account = credentials.find_guessed(ctx.db, guessed)
    counted = account.id if account else attempts.nobody(guessed)
    return _begin(ctx, account, counted, password, may_return=may_return)


def begin_again(ctx: Context, user_id: str, password: str) -> Guess | PasswordProof:
    """The same for somebody who is signed in, and proves it once more."""
    if not _may_be_one(password):
        return PasswordProof(user_id, holds=False, reason="malformed")
    account = credentials.get(ctx.db, user_id)
    return _begin(ctx, account, user_id, password, may_return=False)


def _may_be_one(password: str) -> bool:
    return 0 < len(password) <= passwords.MAX_LENGTH and "\0" not in password


def _begin(
    ctx: Context, account: Any, counted: str, password: str, *, may_return: bool
) -> Guess | PasswordProof:
    user_id = account.id if account else None
    browser = ctx.runtime.cookies.read(ctx.incoming, cookies.BROWSER)
    ctx.runtime.hashing.check_room()
    booked = attempts.book(ctx.db, counted, ctx.now, browser=browser)
    if isinstance(booked, Throttled):
        seconds = ceil(booked.retry_after.total_seconds())
        return PasswordProof(user_id, holds=False, reason="throttled", retry_after=seconds)

    ctx.booked.add(booked.subject)
    hopeless: Reason | None = None
    if account is None:
        hopeless = "unknown_user"
    elif users.is_shut(account, ctx.now) or (account.disabled_at and not may_return):
        hopeless = "disabled"
    elif account.password_hash is None:
        hopeless = "no_password"
    seen = None if hopeless else account.password_hash
    hasher = ctx.runtime.passwords

    def prove() -> PasswordProof:
        right = hasher.verify(seen or hasher.dummy, password)
        if seen is None or not right:
            return PasswordProof(user_id, holds=False, reason=hopeless or "wrong_password")
        return PasswordProof(
            user_id,
            holds=True,
            rehash=_better(hasher, seen, password),
            seen=seen,
            subject=booked.subject,
            may_return=may_return,
        )

    return Guess(booked.subject, prove)


def settle(db: Transaction, proof: PasswordProof, now: datetime) -> bool:
    """Act on a proof that holds, in the transaction that lets the person in: the count is cleared.

    False if the account was disabled or got another password while this one was being hashed.
    """
    if proof.user_id is None or proof.seen is None or proof.subject is None:
        return False
    if not credentials.has_password(
        db, proof.user_id, proof.seen, now, may_return=proof.may_return
    ):
        return False
    attempts.clear(db, proof.subject, now)
    if proof.rehash is not None:
        credentials.rehash(db, proof.user_id, seen=proof.seen, better=proof.rehash)
    return True


def _better(hasher: PasswordHasher, seen: str, password: str) -> str | None:
    return hasher.hash(password) if hasher.needs_rehash(seen) else None
