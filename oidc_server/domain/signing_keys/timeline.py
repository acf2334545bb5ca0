"""The table of signing keys, and where each of them stands in its life."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Document, Instant, table_of

RETIRING = timedelta(days=2)
"""How long a key stays in the JWKS after its successor took over: longer than any token lives."""
KNOWN_AFTERWARDS = timedelta(days=90)
"""How long we still know a key that left the JWKS: an old ID Token is a good hint (RP-Initiated
Logout §4)."""


class SigningKeyRow(Base):
    """A key as stored; the private half is sealed, bound to its `kid`, and gone in the end."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(Text, primary_key=True)
    alg: Mapped[str] = mapped_column(Text)
    private_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(Instant)
    published_at: Mapped[datetime] = mapped_column(Instant)
    activates_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """The life of one key. A key that was revoked before its turn has no `signs_from`.

    `signs_until` and `leaves_at` are None as long as no end is in sight.
    """

    kid: str
    alg: str
    created_at: datetime
    published_at: datetime
    signs_from: datetime | None
    signs_until: datetime | None
    revoked_at: datetime | None

    @property
    def leaves_at(self) -> datetime | None:
        """When it leaves the JWKS."""
        if self.revoked_at is not None:
            return self.revoked_at
        return None if self.signs_until is None else self.signs_until + RETIRING

    @property
    def forgotten_at(self) -> datetime | None:
        """When nobody needs it any more, and its row may go."""
        return None if self.leaves_at is None else self.leaves_at + KNOWN_AFTERWARDS

    @property
    def instants(self) -> Iterable[datetime]:
        """Every moment at which what one may do with it changes."""
        times = (
            self.published_at,
            self.signs_from,
            self.signs_until,
            self.leaves_at,
            self.forgotten_at,
        )
        return (instant for instant in times if instant is not None)

    def is_published(self, now: datetime) -> bool:
        return _within(now, self.published_at, self.leaves_at)

    def is_signing(self, now: datetime) -> bool:
        return self.signs_from is not None and _within(now, self.signs_from, self.signs_until)

    def will_sign(self, now: datetime) -> bool:
        """Whether its turn is still to come."""
        is_alive = self.revoked_at is None or now < self.revoked_at
        return is_alive and self.signs_from is not None and now < self.signs_from

    def is_known(self, now: datetime) -> bool:
        """Whether what it signed is still good as a hint: not if it was revoked."""
        until = self.forgotten_at if self.revoked_at is None else self.revoked_at
        return _within(now, self.published_at, until)

    def state(self, now: datetime) -> str:
        """next, signing, retiring, retired or revoked."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if self.signs_from is None or now < self.signs_from:
            return "next"
        if self.is_signing(now):
            return "signing"
        return "retiring" if self.is_published(now) else "retired"


_keys = table_of(SigningKeyRow)
ALL = Statement(select(*_keys.columns).order_by(_keys.c.activates_at, _keys.c.kid))


def timeline(db: Transaction) -> list[KeyTimes]:
    """Every key in the order in which they sign."""
    return times_of(db.all(ALL))


def times_of(rows: list[Any]) -> list[KeyTimes]:
    """What `ALL` found, each with its end: when the next one of its algorithm takes over."""
    following: dict[str, datetime] = {}
    times: list[KeyTimes] = []
    for row in reversed(rows):
        has_turn = row.revoked_at is None or row.activates_at < row.revoked_at
        ends = (following.get(row.alg), row.revoked_at)
        times.append(
            KeyTimes(
                row.kid,
                row.alg,
                row.created_at,
                row.published_at,
                row.activates_at if has_turn else None,
                min((end for end in ends if end is not None), default=None),
                row.revoked_at,
            )
        )
        if has_turn:
            following[row.alg] = row.activates_at
    return times[::-1]


def is_gapless(times: Iterable[KeyTimes], alg: str, since: datetime) -> bool:
    """Whether there is a key that signs at every moment from `since` on."""
    keys = [key for key in times if key.alg == alg]
    at: datetime | None = since
    while at is not None:
        signing = next((key for key in keys if key.is_signing(at)), None)
        if signing is None:
            return False
        at = signing.signs_until
    return True


def _within(now: datetime, since: datetime, until: datetime | None) -> bool:
    return since <= now and (until is None or now < until)
