"""Signing keys: published ahead, then signing, then retiring with their last token."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import orjson
from sqlalchemy import LargeBinary, Text, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Document, Instant, table_of
from oidc_server.security.encryption import Vault
from oidc_server.security.jose import SigningKey, VerificationKeys

FIRST_ALGORITHMS = ("ES256", "RS256")
PUBLISHED_AHEAD = timedelta(days=1)
"""How long a key is in the JWKS before it signs: every cache has seen it by then."""
RETIRING = timedelta(days=2)
"""How long a key stays in the JWKS after its successor took over: longer than any token lives."""
_PURPOSE = "signing-key"
_RELOAD_AFTER = timedelta(seconds=3)


class SigningKeyRow(Base):
    """A key as stored; the private half is sealed and bound to its `kid`."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(Text, primary_key=True)
    alg: Mapped[str] = mapped_column(Text)
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(Instant)
    activates_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """One key and where it stands in its life; `state` is next, active, retiring or retired."""

    kid: str
    alg: str
    created_at: datetime
    activates_at: datetime
    superseded_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "retired"
        if now < self.activates_at:
            return "next"
        if self.superseded_at is None or now < self.superseded_at:
            return "active"
        return "retiring" if now < self.superseded_at + RETIRING else "retired"


_keys = table_of(SigningKeyRow)
_INSERT = Statement(
    insert(_keys).values({column.name: bindparam(column.name) for column in _keys.columns})
)
_ALL = Statement(select(*_keys.columns).order_by(_keys.c.activates_at, _keys.c.kid))
_VERSION = Statement(
    select(_keys.c.kid, _keys.c.activates_at, _keys.c.revoked_at).order_by(_keys.c.kid)
)
_REVOKE = Statement(
    update(_keys)
    .where(_keys.c.kid == bindparam("of_kid"), _keys.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def ensure(db: Transaction, vault: Vault, now: datetime) -> None:
    """Make the first key of each algorithm. Of many nodes that start at once, one makes them.

    Raises `UnsealError` for keys that our secrets do not open: found at the start, not in use.
    """
    db.lock("signing-keys")
    rows = db.all(_ALL)
    for row in rows:
        vault.open(_PURPOSE, row.private_sealed, row.kid.encode())
    present = {key.alg for key in _timeline(rows) if key.revoked_at is None}
    for alg in FIRST_ALGORITHMS:
        if alg not in present:
            _create(db, vault, alg, now, activates_at=now)


def rotate(
    db: Transaction,
    vault: Vault,
    now: datetime,
    *,
    at_once: bool = False,
    algorithms: Iterable[str] = FIRST_ALGORITHMS,
) -> list[str]:
    """Make new keys; returns their `kid`s.

    They are published now and sign after `PUBLISHED_AHEAD`. With `at_once` they sign from now on,
    for the day a key has leaked.
    """
    db.lock("signing-keys")
    activates_at = now if at_once else now + PUBLISHED_AHEAD
    return [_create(db, vault, alg, now, activates_at=activates_at) for alg in algorithms]


def rotate_if_due(db: Transaction, vault: Vault, now: datetime, interval: timedelta) -> list[str]:
    """Make a successor for every key that will have signed for `interval` when it takes over."""
    db.lock("signing-keys")
    newest = {key.alg: key for key in timeline(db) if key.revoked_at is None}
    due = [
        alg for alg, key in newest.items() if key.activates_at + interval <= now + PUBLISHED_AHEAD
    ]
    return [_create(db, vault, alg, now, activates_at=now + PUBLISHED_AHEAD) for alg in sorted(due)]


def revoke(db: Transaction, kid: str, now: datetime) -> bool:
    """Take a key out of the JWKS at once: nothing it signed verifies any more."""
    return db.run(_REVOKE, of_kid=kid, now=now) == 1


def timeline(db: Transaction) -> list[KeyTimes]:
    """Every key in the order in which they sign."""
    return _timeline(db.all(_ALL))


def _timeline(rows: list[Any]) -> list[KeyTimes]:
    following: dict[str, datetime] = {}
    times: list[KeyTimes] = []
    for row in reversed(rows):
        times.append(
            KeyTimes(
                row.kid,
                row.alg,
                row.created_at,
                row.activates_at,
                following.get(row.alg),
                row.revoked_at,
            )
        )
        if row.revoked_at is None:
            following[row.alg] = row.activates_at
    return times[::-1]


def _create(
    db: Transaction, vault: Vault, alg: str, now: datetime, *, activates_at: datetime
) -> str:
    key = SigningKey.generate(alg)
    db.run(
        _INSERT,
        kid=key.kid,
        alg=alg,
        private_sealed=vault.seal(_PURPOSE, key.private_der(), key.kid.encode()),
        public_jwk=key.public_jwk(),
        created_at=now,
        activates_at=activates_at,
        revoked_at=None,
    )
    return key.kid


class NoSigningKeyError(Exception):
    """There is no active key of this algorithm."""


@dataclass(frozen=True)
class _Loaded:
    version: tuple[Any, ...]
    signers: dict[str, SigningKey]
    times: list[KeyTimes]
    public: dict[str, dict[str, Any]]


class KeyRing:
    """The keys of this process: objects built once, kept in step with the database.

    Every node sees a new key within seconds, and a key signs a day after it was published, so
    that no token is signed with a key that another node does not publish.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lock = Lock()
        self._loaded = _Loaded((), {}, [], {})
        self._checked_at: datetime | None = None
        self._published: tuple[tuple[str, ...], bytes, VerificationKeys] | None = None

    def refresh(self, db: Transaction, now: datetime) -> None:
        """Look at the database, at most every few seconds, and load what is new."""
        if self._checked_at is not None and abs(now - self._checked_at) < _RELOAD_AFTER:
            return
        version = tuple(db.all(_VERSION))
        with self._lock:
            if version != self._loaded.version:
                self._load(db, version)
            self._checked_at = now

    def _load(self, db: Transaction, version: tuple[Any, ...]) -> None:
        rows = db.all(_ALL)
        signers = dict(self._loaded.signers)
        for row in rows:
            if row.kid not in signers:
                private = self._vault.open(_PURPOSE, row.private_sealed, row.kid.encode())
                signers[row.kid] = SigningKey.from_private(private, row.alg)
        public = {row.kid: row.public_jwk for row in rows}
        self._loaded = _Loaded(version, signers, _timeline(rows), public)

    def signer(self, alg: str, now: datetime) -> SigningKey:
        """The active key of an algorithm; raises `NoSigningKeyError`."""
        for key in reversed(self._loaded.times):
            if key.alg == alg and key.revoked_at is None and key.activates_at <= now:
                return self._loaded.signers[key.kid]
        raise NoSigningKeyError(alg)

    def algorithms(self, now: datetime) -> list[str]:
        """The algorithms that can sign at this moment."""
        return sorted({key.alg for key in self._loaded.times if key.state(now) == "active"})

    def jwks(self, now: datetime) -> bytes:
        """The JWKS document (RFC 7517 §5): keys that will sign, sign, or signed lately."""
        return self._publish(now)[1]

    def verification(self, now: datetime) -> VerificationKeys:
        """The same keys, for reading tokens of our own."""
        return self._publish(now)[2]

    def _publish(self, now: datetime) -> tuple[tuple[str, ...], bytes, VerificationKeys]:
        kids = tuple(key.kid for key in self._loaded.times if key.state(now) != "retired")
        published = self._published
        if published is None or published[0] != kids:
            keys = [self._loaded.public[kid] for kid in kids]
            published = (kids, orjson.dumps({"keys": keys}), VerificationKeys(keys))
            self._published = published
        return published
