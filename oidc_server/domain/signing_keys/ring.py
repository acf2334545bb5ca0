"""The signing keys as a process uses them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
from sqlalchemy import select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import table_of
from oidc_server.domain.signing_keys.rotation import CLOCKS_DIFFER_BY, RELOAD_AFTER, SEALED_AS
from oidc_server.domain.signing_keys.timeline import ALL, KeyTimes, SigningKeyRow, times_of
from oidc_server.security.encryption import Vault
from oidc_server.security.jose import SigningKey, VerificationKeys

REMEMBERED_FOR = timedelta(minutes=15)
"""How long after the last look at the database the public keys may still be told: no longer than a
cache may keep them, so that a revocation which this process cannot see is late by no more."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)

_keys = table_of(SigningKeyRow)
_VERSION = Statement(
    select(
        _keys.c.kid,
        _keys.c.activates_at,
        _keys.c.revoked_at,
        _keys.c.private_sealed.is_(None).label("is_public_only"),
    ).order_by(_keys.c.kid)
)


class NoSigningKeyError(Exception):
    """There is no key that signs with this algorithm."""


@dataclass(frozen=True)
class _Loaded:
    version: tuple[Any, ...]
    signers: dict[str, SigningKey]
    times: list[KeyTimes]
    public: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class _View:
    """What is true from one change of the keys to the next."""

    loaded: _Loaded
    since: datetime
    until: datetime
    signers: dict[str, SigningKey]
    jwks: bytes
    verification: VerificationKeys
    hint_verification: VerificationKeys


class KeyRing:
    """The keys of this process: objects built once, kept in step with the database.

    Every request that uses them calls `refresh` first, so that no view is older than a few seconds:
    where the database is away there is an error. Only the public keys are told on, for a while.
    """

    def __init__(self, vault: Vault, access_token_alg: str = "ES256") -> None:
        self.access_token_alg = access_token_alg
        self._vault = vault
        self._loaded = _Loaded((), {}, [], {})
        self._checked_at: datetime | None = None
        self._confirmed = self._loaded
        self._view: _View | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Whether the database was looked at within the last few seconds."""
        return self._checked_at is not None and abs(now - self._checked_at) < RELOAD_AFTER

    def refresh(self, db: Transaction, now: datetime) -> None:
        """Check the database for changes, at most every few seconds, and load them."""
        if self.is_fresh(now):
            return
        version = tuple(db.all(_VERSION))
        if version != self._loaded.version:
            self._load(db, version)
        db.afterwards(partial(self._note, now, self._loaded))

    def _note(self, now: datetime, loaded: _Loaded) -> None:
        """Called after the commit: what was loaded may be uncommitted before (ADR 0027)."""
        self._checked_at, self._confirmed = now, loaded

    def _load(self, db: Transaction, version: tuple[Any, ...]) -> None:
        rows = db.all(ALL)
        known = self._loaded.signers
        signers = {
            row.kid: known.get(row.kid) or self._open(row)
            for row in rows
            if row.private_sealed is not None
        }
        public = {row.kid: row.public_jwk for row in rows}
        self._loaded = _Loaded(version, signers, times_of(rows), public)

    def _open(self, row: Any) -> SigningKey:
        private = self._vault.open(SEALED_AS, row.private_sealed, row.kid.encode())
        return SigningKey.from_private(private, row.alg)

    def signer(self, alg: str, now: datetime) -> SigningKey:
        """The key that signs with an algorithm; raises `NoSigningKeyError`."""
        key = self._at(now).signers.get(alg)
        if key is None:
            raise NoSigningKeyError(alg)
        return key

    def algorithms(self, now: datetime) -> list[str]:
        """The algorithms that can sign at this moment."""
        return sorted(self._at(now).signers)

    def jwks(self, now: datetime) -> bytes:
        """The JWKS document (RFC 7517 §5): keys that will sign, sign, or signed lately."""
        return self._at(now).jwks

    def remembered_jwks(self, now: datetime) -> bytes | None:
        """The same while the database is away, as its last look foretold it (ADR 0009).

        None where it was never looked at, or not within `REMEMBERED_FOR`.
        """
        if self._checked_at is None or abs(now - self._checked_at) >= REMEMBERED_FOR:
            return None
        return _look(self._confirmed, now).jwks

    def verification(self, now: datetime) -> VerificationKeys:
        """The same keys, for reading tokens of our own."""
        return self._at(now).verification

    def hint_verification(self, now: datetime) -> VerificationKeys:
        """The same and those that retired in the last months, for reading an `id_token_hint`."""
        return self._at(now).hint_verification

    def _at(self, now: datetime) -> _View:
        view, loaded = self._view, self._loaded
        if view is None or view.loaded is not loaded or not view.since <= now < view.until:
            view = self._view = _look(loaded, now)
        return view


def _look(loaded: _Loaded, now: datetime) -> _View:
    instants = [instant for key in loaded.times for instant in key.instants]
    signing = _signing(loaded, now)
    published = _public(
        loaded, (key for key in loaded.times if key.is_published(now) or key in signing)
    )
    known = _public(loaded, (key for key in loaded.times if key.is_known(now) or key in signing))
    return _View(
        loaded,
        since=max((instant for instant in instants if instant <= now), default=_BEGINNING),
        until=min((instant for instant in instants if instant > now), default=_END),
        signers={key.alg: loaded.signers[key.kid] for key in signing},
        jwks=orjson.dumps({"keys": published}),
        verification=VerificationKeys(published),
        hint_verification=VerificationKeys(known),
    )


def _signing(loaded: _Loaded, now: datetime) -> list[KeyTimes]:
    """The key that signs, of each algorithm.

    A clock that was set back may find none: the first was made later by its time, or the one whose
    turn it was has no private half any more. Then the next one stands in for it, and is published:
    to wait for its turn would be to sign nothing for as long as the clock was wrong.
    """
    able = [key for key in loaded.times if key.kid in loaded.signers]
    signing = {key.alg: key for key in able if key.is_signing(now)}
    spent = {key.alg for key in loaded.times if key.is_signing(now)} - signing.keys()
    for key in able:
        is_of_later = key.created_at > now + CLOCKS_DIFFER_BY or key.alg in spent
        if is_of_later and key.will_sign(now):
            signing.setdefault(key.alg, key)
    return list(signing.values())


def _public(loaded: _Loaded, keys: Iterable[KeyTimes]) -> list[dict[str, Any]]:
    return [loaded.public[key.kid] for key in keys]
