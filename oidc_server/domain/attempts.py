"""Throttling of guesses at passwords and codes, and of mails: counts of attempts per account.

A count is a row, its `subject` the key: `user:<id>` counts guesses at a password, `factor:<id>`
those at a code, `mail:<kind>:<digest of the address>` mails. So it holds over all workers. Some
attempts are free; after them each must wait a little longer than the one before, but never for
long: nobody can lock another person out.

A browser that signed in to an account is known there and has counts of its own, whose subjects end
in a digest of its mark. So a stranger's guesses do not make the owner wait. It is known for as long
as its row `user:<id>:<digest>` is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    bindparam,
    case,
    delete,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.clock import MOST_APART
from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Instant, delete_some, insert_all, table_of
from oidc_server.security import opaque_tokens

_FORGOTTEN_AFTER = timedelta(days=1)
_BROWSER_KNOWN_FOR = timedelta(days=400)
_TOLERANCE = timedelta(seconds=10)
"""How much earlier than the attempt that was counted last a request may have begun.

It waited for the lock of the row, or the clock of its node is slow: no reason to refuse it.
"""


class Attempt(Base):
    """How often something was tried in a row without success, and when it may be tried again."""

    __tablename__ = "attempts"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    blocked_until: Mapped[datetime] = mapped_column(Instant)
    last_at: Mapped[datetime] = mapped_column(Instant)
    kept_until: Mapped[datetime] = mapped_column(Instant, index=True)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go on; `subject` is the count that a success has to clear."""

    subject: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Not now: `retry_after` is how long to wait."""

    retry_after: timedelta


_attempts = table_of(Attempt)


def _number(value: int) -> ColumnElement[int]:
    return literal_column(str(value), Integer)


def _microseconds(duration: timedelta) -> ColumnElement[int]:
    return _number(duration // timedelta(microseconds=1))


def _booking(free: int, delays: Iterable[timedelta]) -> Statement:
    """The upsert that counts one more attempt, unless the subject must wait.

    It is one statement, so that of many guesses at once no more get through than the count allows.
    """
    new = insert_all(_attempts)
    now = new.excluded.last_at
    forgotten = _attempts.c.last_at <= now - _microseconds(_FORGOTTEN_AFTER)
    count = case((forgotten, _number(1)), else_=_attempts.c.failures + _number(1))
    pauses = [_microseconds(delay) for delay in delays]
    steps = [(count == _number(free + step), pause) for step, pause in enumerate(pauses)]
    none = _microseconds(-_TOLERANCE)
    # A count from before the clock was set back makes nobody wait.
    ahead = now + _microseconds(MOST_APART)
    pause = case((count < _number(free), none), *steps, else_=pauses[-1])
    return Statement(
        new.on_conflict_do_update(
            index_elements=[_attempts.c.subject],
            set_={
                "failures": count,
                "blocked_until": now + pause,
                "last_at": now,
                "kept_until": new.excluded.kept_until,
            },
            where=or_(_attempts.c.blocked_until <= now, _attempts.c.last_at > ahead),
        ).returning(_attempts.c.subject)
    )


_BOOK_GUESS = _booking(10, (timedelta(seconds=s) for s in (30, 60, 120, 240, 480, 900)))
_BOOK_USER_CODE = _booking(5, (timedelta(seconds=s) for s in (30, 60, 120, 240, 480, 900)))
_BOOK_FACTOR = _booking(10, (timedelta(minutes=m) for m in (1, 5, 15, 30, 60)))
_BOOK_MAIL = _booking(5, (timedelta(minutes=m) for m in (5, 15, 60)))
_BOOK_ANY_MAIL = _booking(10, (timedelta(minutes=m) for m in (15, 60)))
_FIND = Statement(
    select(_attempts.c.blocked_until).where(_attempts.c.subject == bindparam("subject"))
)
_KNOWN = Statement(
    select(_attempts.c.subject).where(
        or_(
            _attempts.c.subject == bindparam("of_browser"),
            _attempts.c.subject == bindparam("of_any"),
        )
    )
)
_new = insert_all(_attempts)
_longer_kept = case(
    (_attempts.c.kept_until > _new.excluded.kept_until, _attempts.c.kept_until),
    else_=_new.excluded.kept_until,
)
_CLEAR = Statement(
    _new.on_conflict_do_update(
        index_elements=[_attempts.c.subject],
        set_={
            "failures": _number(0),
            "blocked_until": _new.excluded.blocked_until,
            "last_at": _new.excluded.last_at,
            "kept_until": _longer_kept,
        },
    )
)
_TAKE_BACK = Statement(
    update(_attempts)
    .where(_attempts.c.subject == bindparam("of_subject"), _attempts.c.failures > _number(0))
    .values(
        failures=_attempts.c.failures - _number(1),
        blocked_until=_attempts.c.last_at - _microseconds(_TOLERANCE),
    )
)
_FORGET_BROWSERS = Statement(
    delete(_attempts).where(_attempts.c.subject.startswith(bindparam("of_browsers", type_=Text)))
)
_FORGET = Statement(
    delete(_attempts).where(
        or_(
            _attempts.c.subject == bindparam("guesses"),
            _attempts.c.subject == bindparam("codes"),
            _attempts.c.subject.startswith(bindparam("codes_of_browsers", type_=Text)),
            _attempts.c.subject == bindparam("browsers"),
            _attempts.c.subject.startswith(bindparam("of_browsers", type_=Text)),
        )
    )
)
_PRUNE = Statement(delete_some(_attempts, _attempts.c.kept_until < bindparam("now")))


def book(
    db: Transaction, account: str, now: datetime, *, browser: str | None = None
) -> Allowed | Throttled:
    """Count a guess at the password of `account`, as wrong: `clear` the count if it was right.

    `account` is a user id, or `nobody(…)` for a name without an account; `browser` the mark of the
    browser the guess comes from. Call it before anything is hashed.
    """
    if browser is not None and _is_known(db, account, browser):
        known = _of_browser(account, browser)
        return _book(db, _BOOK_GUESS, known, now, _BROWSER_KNOWN_FOR)
    return _book(db, _BOOK_GUESS, f"user:{account}", now, _FORGOTTEN_AFTER)


def book_mail(db: Transaction, kind: str, to: str, now: datetime) -> Allowed | Throttled:
    """Count a mail of this kind to this canonical address, whoever asked for it."""
    return _book(db, _BOOK_MAIL, f"mail:{kind}:{_digest(to)}", now, _FORGOTTEN_AFTER)


def book_mail_of_stranger(
    db: Transaction, kind: str, to: str, now: datetime
) -> Allowed | Throttled:
    """The same for a mail that anybody can have sent to an address by naming it.

    All kinds of those share a count too: asking at every door in turn floods no mailbox. It is not
    for mails that an owner cannot do without.
    """
    booked = book_mail(db, kind, to, now)
    if isinstance(booked, Throttled):
        return booked
    return _book(db, _BOOK_ANY_MAIL, f"mail:{_digest(to)}", now, _FORGOTTEN_AFTER)


def mail_arrived(db: Transaction, kind: str, to: str, now: datetime) -> None:
    """What was mailed was used: it bothered nobody, and the next one need not wait."""
    clear(db, f"mail:{kind}:{_digest(to)}", now)


def book_user_code(db: Transaction, by: str, now: datetime) -> Allowed | Throttled:
    """Count a typed user code as wrong until it is found (RFC 8628 §5.1).

    `by` is a user id, or an address for somebody who is not signed in.
    """
    return _book(db, _BOOK_USER_CODE, f"user-code:{_digest(by)}", now, _FORGOTTEN_AFTER)


def book_factor(
    db: Transaction, user_id: str, now: datetime, *, browser: str
) -> Allowed | Throttled:
    """Count a code of a second factor, as wrong: `clear` the count if it was right.

    Whoever guesses at codes knows the password already, and may be an intruder.
    """
    subject = count_for_browser(db, f"factor:{user_id}", user_id, browser)
    return _book(db, _BOOK_FACTOR, subject, now, _FORGOTTEN_AFTER)


def count_for_browser(db: Transaction, shared: str, account: str, browser: str) -> str:
    """The name of the count for a browser: its own if it is known to the account, else `shared`.

    So an intruder who knows the password cannot use up the attempts of the owner.
    """
    return f"{shared}:{_digest(browser)}" if _is_known(db, account, browser) else shared


def clear(db: Transaction, subject: str, now: datetime) -> None:
    """The attempt was right: start counting anew. A known browser stays known."""
    _clear(db, subject, now, _FORGOTTEN_AFTER)


def take_back(db: Transaction, subject: str) -> None:
    """Uncount the last attempt, which was no guess; the earlier ones stay counted."""
    db.later(_TAKE_BACK, of_subject=subject)


def nobody(name: str) -> str:
    """The account to count guesses at a name on that has none: it is throttled just the same."""
    return f"nobody:{_digest(name)}"


def remember_browser(db: Transaction, account: str, browser: str, now: datetime) -> bool:
    """Make a browser known that signed in to an account.

    Returns whether to tell the owner: it was not known, and another one has been.
    """
    subject, any_browser = _of_browser(account, browser), f"browsers:{account}"
    known = {row.subject for row in db.all(_KNOWN, of_browser=subject, of_any=any_browser)}
    for one in (subject, any_browser):
        _clear(db, one, now, _BROWSER_KNOWN_FOR)
    return known == {any_browser}


def forget_browsers(db: Transaction, account: str) -> None:
    """No browser is known to this account any more: the next one is new to it."""
    db.later(_FORGET_BROWSERS, of_browsers=f"user:{account}:")


def forget(db: Transaction, account: str) -> None:
    """Delete all counts of an account, which is being deleted."""
    db.later(
        _FORGET,
        guesses=f"user:{account}",
        codes=f"factor:{account}",
        codes_of_browsers=f"factor:{account}:",
        browsers=f"browsers:{account}",
        of_browsers=f"user:{account}:",
    )


def forgive(db: Transaction, account: str, now: datetime) -> None:
    """The person proved themselves in another way, or has another password: start counting anew."""
    clear(db, f"user:{account}", now)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete counts that have no effect any more; returns how many."""
    return db.run(_PRUNE, now=now, batch=limit)


def _book(
    db: Transaction, statement: Statement, subject: str, now: datetime, kept_for: timedelta
) -> Allowed | Throttled:
    booked = db.first(
        statement,
        subject=subject,
        failures=1,
        blocked_until=now - _TOLERANCE,
        last_at=now,
        kept_until=now + kept_for,
    )
    if booked is not None:
        return Allowed(subject)
    return Throttled(retry_after=db.first(_FIND, subject=subject).blocked_until - now)


def _clear(db: Transaction, subject: str, now: datetime, kept_for: timedelta) -> None:
    db.later(
        _CLEAR,
        subject=subject,
        failures=0,
        blocked_until=now - _TOLERANCE,
        last_at=now,
        kept_until=now + kept_for,
    )


def _is_known(db: Transaction, account: str, browser: str) -> bool:
    """Whether this browser signed in to the account before."""
    return db.first(_FIND, subject=_of_browser(account, browser)) is not None


def _of_browser(account: str, browser: str) -> str:
    return f"user:{account}:{_digest(browser)}"


def _digest(text: str) -> str:
    return opaque_tokens.digest(text).hex()
