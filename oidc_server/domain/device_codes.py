"""Device authorization requests (RFC 8628): two codes, one for the device and one for its person.

Approving gives access: the grant is born then, so whatever ends a person's grants ends it too, and
the device code is spent by redeeming that grant. The user code has 34 bits only, so it is kept as a
MAC under a key that the database does not hold, and sealed, to be shown once more.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text, and_, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain import grants
from oidc_server.domain.base import (
    Base,
    Identifier,
    Instant,
    WordSet,
    delete_some,
    insert_all,
    new_id,
    parse_id,
    seen,
    table_of,
    unchanged,
)
from oidc_server.domain.grants import Authorization, Granted
from oidc_server.security import opaque_tokens
from oidc_server.security.encryption import Vault

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters that are hard to confuse and spell no word (RFC 8628 §6.1)."""
INTERVAL = timedelta(seconds=5)
_SLOWER_BY = timedelta(seconds=5)
"""RFC 8628 §3.5."""
_JITTER = timedelta(seconds=1)
"""A poll that comes earlier by this much was sent in time."""
_LENGTH = 8
_TRIES = 5
_PURPOSE = "user-code"
_KEPT_AFTER_EXPIRY = timedelta(days=1)


class DeviceCode(Base):
    """One request of a device. It is bound to the browser in which its user code was typed last."""

    __tablename__ = "device_codes"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.client_id"))
    device_code_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_code_mac: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_code_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[frozenset[str]] = mapped_column(WordSet)
    resources: Mapped[frozenset[str]] = mapped_column(WordSet)
    address: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    browser_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    interval: Mapped[int]
    polled_at: Mapped[datetime | None] = mapped_column(Instant)
    grant_id: Mapped[str | None] = mapped_column(Identifier, ForeignKey("grants.grant_id"))
    denied_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A request as the pages know it. `address` is where the device asked from."""

    id: str
    client_id: str
    scopes: frozenset[str]
    resources: frozenset[str]
    address: str
    created_at: datetime
    expires_at: datetime
    grant_id: str | None
    denied_at: datetime | None
    user_code_sealed: bytes

    @property
    def is_open(self) -> bool:
        return self.grant_id is None and self.denied_at is None

    def user_code(self, vault: Vault) -> str:
        """The code as the device shows it."""
        return vault.open(_PURPOSE, self.user_code_sealed, self.id.encode()).decode()


@dataclass(frozen=True, slots=True)
class Polled:
    """A request as its device may know it; `granted` is there once it was approved."""

    id: str
    client_id: str
    expires_at: datetime
    interval: int
    polled_at: datetime | None
    denied_at: datetime | None
    granted: Granted | None


_codes = table_of(DeviceCode)
_undecided = and_(_codes.c.grant_id.is_(None), _codes.c.denied_at.is_(None))
_INSERT = Statement(
    insert_all(_codes).on_conflict_do_nothing(index_elements=[_codes.c.user_code_mac])
)
_ADOPT = Statement(
    update(_codes)
    .where(
        _codes.c.user_code_mac == bindparam("mac"),
        _codes.c.expires_at > bindparam("now"),
        _undecided,
    )
    .values(browser_digest=bindparam("browser"))
    .returning(_codes.c.id)
)
_FIND = Statement(
    select(*[_codes.c[name] for name in DeviceRequest.__dataclass_fields__]).where(
        _codes.c.id == bindparam("request_id"),
        _codes.c.browser_digest == bindparam("browser"),
        _codes.c.expires_at > bindparam("now"),
    )
)
_POLL = Statement(
    select(
        _codes.c.id,
        _codes.c.client_id,
        _codes.c.expires_at,
        _codes.c.interval,
        _codes.c.polled_at,
        _codes.c.denied_at,
        _codes.c.grant_id,
    ).where(_codes.c.device_code_digest == bindparam("presented"))
)
_POLLED = ("polled_at",)
_NOTE_POLL = Statement(
    update(_codes)
    .where(_codes.c.id == bindparam("request_id"), unchanged(_codes, _POLLED))
    .values(polled_at=bindparam("now"))
)
_SLOW_DOWN = Statement(
    update(_codes)
    .where(_codes.c.id == bindparam("request_id"))
    .values(polled_at=bindparam("now"), interval=_codes.c.interval + bindparam("seconds"))
)
_APPROVE = Statement(
    update(_codes)
    .where(
        _codes.c.id == bindparam("request_id"),
        _undecided,
    )
    .values(grant_id=bindparam("of_grant"))
)
_DENY = Statement(
    update(_codes)
    .where(
        _codes.c.id == bindparam("request_id"),
        _undecided,
    )
    .values(denied_at=bindparam("now"))
)
_PRUNE = Statement(delete_some(_codes, _codes.c.expires_at < bindparam("long_ago")))


def mint(
    db: Transaction,
    vault: Vault,
    *,
    client_id: str,
    scopes: frozenset[str],
    resources: frozenset[str],
    address: str,
    now: datetime,
    lifetime: timedelta,
) -> tuple[str, str]:
    """Keep a request; returns its device code and its user code, which no other request has."""
    for _ in range(_TRIES):
        request_id, device_code, user_code = new_id(now), opaque_tokens.mint(), _new_user_code()
        stored = db.run(
            _INSERT,
            id=request_id,
            client_id=client_id,
            device_code_digest=opaque_tokens.digest(device_code),
            user_code_mac=_mac(vault.derive(_PURPOSE), user_code),
            user_code_sealed=vault.seal(_PURPOSE, user_code.encode(), request_id.encode()),
            scopes=scopes,
            resources=resources,
            address=address,
            created_at=now,
            expires_at=now + lifetime,
            browser_digest=None,
            interval=int(INTERVAL.total_seconds()),
            polled_at=None,
            grant_id=None,
            denied_at=None,
        )
        if stored:
            return device_code, user_code
    raise RuntimeError("every user code that was drawn is in use")


def adopt(db: Transaction, vault: Vault, typed: str, browser: str, now: datetime) -> str | None:
    """The id of the open request with this user code, which belongs to this browser from now on.

    None when there is none. Whoever can type the code may take it along to another browser.
    """
    user_code = normalized(typed)
    if user_code is None:
        return None
    return _adopt(db, vault.derive_all(_PURPOSE), user_code, browser, now)


def find(db: Transaction, request_id: str, browser: str, now: datetime) -> DeviceRequest | None:
    """The request of this browser, decided or not; None when unknown or expired."""
    parsed = parse_id(request_id)
    if parsed is None:
        return None
    row = db.first(_FIND, request_id=parsed, browser=opaque_tokens.digest(browser), now=now)
    return DeviceRequest(*row) if row else None


def approve(
    db: Transaction,
    request: DeviceRequest,
    authorization: Authorization,
    now: datetime,
    lifetime: timedelta,
) -> bool:
    """Give access; False when the request was decided before: then nothing may be committed."""
    granted = grants.mint(db, authorization, now, lifetime)
    return db.run(_APPROVE, request_id=request.id, of_grant=granted.grant_id) == 1


def deny(db: Transaction, request: DeviceRequest, now: datetime) -> bool:
    """Refuse; False when the request was decided before."""
    return db.run(_DENY, request_id=request.id, now=now) == 1


def poll(db: Transaction, device_code: str) -> Polled | None:
    """The request of this device code, spent or not. Reading claims nothing."""
    row: Any = db.first(_POLL, presented=opaque_tokens.digest(device_code))
    if row is None:
        return None
    return Polled(
        row.id,
        row.client_id,
        row.expires_at,
        row.interval,
        row.polled_at,
        row.denied_at,
        granted=None if row.grant_id is None else grants.find(db, row.grant_id),
    )


def note_poll(db: Transaction, polled: Polled, now: datetime) -> bool:
    """Note that the device asked too early to be told; False when it also asked too often.

    Then it has to wait five seconds longer from now on (RFC 8628 §3.5). Who asked once more since
    the request was read asked too often as well. Nothing is written after it.
    """
    interval = timedelta(seconds=polled.interval)
    in_time = polled.polled_at is None or now - polled.polled_at >= interval - _JITTER
    noted = {"request_id": polled.id, "now": now}
    if in_time and db.conclude(_NOTE_POLL, **noted, **seen(polled, _POLLED)):
        return True
    db.later(_SLOW_DOWN, **noted, seconds=int(_SLOWER_BY.total_seconds()))
    return False


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete requests a day after their end; until then their device is told that they expired."""
    return db.run(_PRUNE, long_ago=now - _KEPT_AFTER_EXPIRY, batch=limit)


def normalized(typed: str) -> str | None:
    """What was typed as the code it means (RFC 8628 §6.1): case, dashes and spaces do not count."""
    letters = "".join(char for char in typed.upper() if char.isalnum())
    if len(letters) != _LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return _spelled(letters)


def _new_user_code() -> str:
    return _spelled("".join(secrets.choice(ALPHABET) for _ in range(_LENGTH)))


def _spelled(letters: str) -> str:
    return f"{letters[:4]}-{letters[4:]}"


def _mac(key: bytes, user_code: str) -> bytes:
    return hmac.digest(key, user_code.encode(), "sha256")


def _adopt(
    db: Transaction, keys: Sequence[bytes], user_code: str, browser: str, now: datetime
) -> str | None:
    for key in keys:
        row = db.first(
            _ADOPT, mac=_mac(key, user_code), browser=opaque_tokens.digest(browser), now=now
        )
        if row is not None:
            return str(row.id)
    return None
