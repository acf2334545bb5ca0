"""Passkeys of people: public keys that their devices prove, each with a name of its own.

A person is known to their devices by a random handle (`PasskeyUser`), never by `sub`.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    LargeBinary,
    Text,
    and_,
    bindparam,
    delete,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain import credentials, identifiers
from oidc_server.domain.base import (
    Base,
    DomainError,
    Identifier,
    Instant,
    WordSet,
    insert_all,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.security.passkeys import Assertion, NewPasskey

MOST = 25
"""Passkeys of one person; nobody has as many devices."""


class PasskeyUser(Base):
    """The handle by which the devices of a person know them (WebAuthn §14.6.1).

    `second_step` is whether they want to be asked for a passkey after their password too.
    """

    __tablename__ = "passkey_users"

    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), primary_key=True)
    handle: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    second_step: Mapped[bool] = mapped_column(Boolean)


class PasskeyRow(Base):
    """One passkey. `regressed_at` is when it last answered with a count that was seen before."""

    __tablename__ = "passkeys"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    aaguid: Mapped[str] = mapped_column(Text)
    transports: Mapped[frozenset[str]] = mapped_column(WordSet)
    user_verified: Mapped[bool] = mapped_column(Boolean)
    discoverable: Mapped[bool] = mapped_column(Boolean)
    backup_eligible: Mapped[bool] = mapped_column(Boolean)
    backed_up: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    regressed_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of somebody."""

    id: str
    user_id: str
    credential_id: bytes
    public_key: bytes
    transports: frozenset[str]
    user_verified: bool
    discoverable: bool
    backup_eligible: bool
    backed_up: bool
    name: str
    created_at: datetime
    last_used_at: datetime | None
    regressed_at: datetime | None

    @property
    def opens_alone(self) -> bool:
        """Whether it lets its person in without anything else: found, and knowing them."""
        return self.user_verified and self.discoverable

    @property
    def is_security_key(self) -> bool:
        """Whether it is a thing of its own, which one plugs in or holds to a phone."""
        is_built_in = self.backup_eligible or "internal" in self.transports
        return not is_built_in and bool(self.transports & {"usb", "nfc", "ble", "smart-card"})

    @property
    def amr(self) -> str:
        """How RFC 8176 §2 names its key: what is on several devices is in no hardware."""
        return "swk" if self.backup_eligible else "hwk"


class PasskeyTakenError(DomainError):
    """This passkey is registered already, here or at another account."""


class TooManyPasskeysError(DomainError):
    """The account has as many passkeys as one may have."""


_handles = table_of(PasskeyUser)
_passkeys = table_of(PasskeyRow)
_columns = tuple(_passkeys.c[name] for name in Passkey.__dataclass_fields__)
_mine = and_(_passkeys.c.id == bindparam("passkey_id"), _passkeys.c.user_id == bindparam("of_user"))

_MINT_HANDLE = Statement(insert_all(_handles).on_conflict_do_nothing())
_HANDLE = Statement(select(_handles.c.handle).where(_handles.c.user_id == bindparam("of_user")))
_SECOND_STEP = Statement(
    select(_handles.c.second_step).where(_handles.c.user_id == bindparam("of_user"))
)
_SET_SECOND_STEP = Statement(
    update(_handles)
    .where(
        _handles.c.user_id == bindparam("of_user"),
        _handles.c.second_step != bindparam("wanted", type_=Boolean),
    )
    .values(second_step=bindparam("wanted", type_=Boolean))
)
_COUNT = Statement(
    select(func.count().label("number")).where(_passkeys.c.user_id == bindparam("of_user"))
)
_ENROL = Statement(
    insert_all(_passkeys).on_conflict_do_nothing(index_elements=[_passkeys.c.credential_id])
)
_PRESENTED = Statement(
    select(*_columns, _handles.c.handle)
    .join(_handles, _handles.c.user_id == _passkeys.c.user_id)
    .where(_passkeys.c.credential_id == bindparam("presented"))
)
_USE = Statement(
    update(_passkeys)
    .where(
        _mine,
        or_(
            _passkeys.c.sign_count < bindparam("new_count"),
            and_(_passkeys.c.sign_count == 0, bindparam("new_count", type_=BigInteger) == 0),
        ),
    )
    .values(
        sign_count=bindparam("new_count"),
        backed_up=bindparam("is_backed_up"),
        user_verified=or_(_passkeys.c.user_verified, bindparam("was_verified", type_=Boolean)),
        last_used_at=bindparam("now"),
    )
)
_FLAG = Statement(update(_passkeys).where(_mine).values(regressed_at=bindparam("now")))
_LIST = Statement(
    select(*_columns)
    .where(_passkeys.c.user_id == bindparam("of_user"))
    .order_by(_passkeys.c.created_at, _passkeys.c.id)
)
_FIND = Statement(select(*_columns).where(_mine))
_RENAME = Statement(update(_passkeys).where(_mine).values(name=bindparam("new_name")))
_DELETE_NEWER = Statement(
    delete(_passkeys).where(
        _passkeys.c.user_id == bindparam("of_user"),
        _passkeys.c.created_at >= bindparam("since", type_=Instant),
    )
)
_DELETE_SECOND = Statement(
    delete(_passkeys).where(
        _passkeys.c.user_id == bindparam("of_user"),
        not_(and_(_passkeys.c.user_verified, _passkeys.c.discoverable)),
    )
)
_DELETE = Statement(delete(_passkeys).where(_mine))


def new_handle() -> bytes:
    """A handle for somebody: random, and never shown."""
    return secrets.token_bytes(32)


def handle_of(db: Transaction, user_id: str) -> bytes:
    """The handle of a person; they get one at their first passkey."""
    return remember_handle(db, user_id, new_handle())


def remember_handle(db: Transaction, user_id: str, handle: bytes) -> bytes:
    """Give a person this handle, unless they have one; returns the one they have."""
    db.later(_MINT_HANDLE, user_id=user_id, handle=handle, second_step=False)
    found: bytes = db.first(_HANDLE, of_user=user_id).handle
    return found


def find_handle(db: Transaction, user_id: str) -> bytes | None:
    """The handle of a person, if they have one."""
    row = db.first(_HANDLE, of_user=user_id)
    return row.handle if row else None


def is_second_step(db: Transaction, user_id: str) -> bool:
    """Whether the person wants to be asked for a passkey after their password."""
    row = db.first(_SECOND_STEP, of_user=user_id)
    return row is not None and bool(row.second_step)


def set_second_step(db: Transaction, user_id: str, *, wanted: bool) -> bool:
    """Note whether the person wants that; False if it was so already."""
    return db.run(_SET_SECOND_STEP, of_user=user_id, wanted=wanted) == 1


def enrol(db: Transaction, user_id: str, new: NewPasskey, name: str, now: datetime) -> str:
    """Add a passkey and return its id.

    Raises `InvalidNameError`, `PasskeyTakenError`, `TooManyPasskeysError`.
    """
    db.lock(f"passkeys of {user_id}")
    if db.first(_COUNT, of_user=user_id).number >= MOST:
        raise TooManyPasskeysError("This account has as many passkeys as one can have.")
    passkey_id = new_id(now)
    added = db.run(
        _ENROL,
        id=passkey_id,
        user_id=user_id,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        aaguid=new.aaguid,
        transports=new.transports,
        user_verified=new.user_verified,
        discoverable=new.discoverable,
        backup_eligible=new.backup_eligible,
        backed_up=new.backed_up,
        name=_checked(name),
        created_at=now,
        last_used_at=None,
        regressed_at=None,
    )
    if not added:
        raise PasskeyTakenError("This passkey is registered already.")
    return passkey_id


def find_presented(
    db: Transaction, credential_id: bytes, user_handle: bytes | None
) -> Passkey | None:
    """The passkey that somebody shows; None if its handle is that of somebody else."""
    row = db.first(_PRESENTED, presented=credential_id)
    if row is None:
        return None
    *columns, handle = row
    if user_handle is not None and user_handle != handle:
        return None
    return Passkey(*columns)


def use(db: Transaction, passkey: Passkey, assertion: Assertion, now: datetime) -> str | None:
    """Note a use that was verified; returns why it must be refused, or None.

    A count that is not greater than the one before may come from a copy of the passkey (WebAuthn
    §6.1.1): such a use is refused and flagged, and the stored count stays. Passkeys on several
    devices do not count at all. `disabled` and `removed` happened since the passkey was found.
    """
    if not credentials.may_sign_in(db, passkey.user_id, now):
        return "disabled"
    mine = {"passkey_id": passkey.id, "of_user": passkey.user_id}
    used = db.run(
        _USE,
        **mine,
        new_count=assertion.sign_count,
        is_backed_up=assertion.backed_up,
        was_verified=assertion.user_verified,
        now=now,
    )
    if used:
        return None
    return "sign_count" if db.run(_FLAG, **mine, now=now) else "removed"


def list_of_user(db: Transaction, user_id: str) -> list[Passkey]:
    """The passkeys of a person, oldest first."""
    return [Passkey(*row) for row in db.all(_LIST, of_user=user_id)]


def find(db: Transaction, user_id: str, passkey_id: str) -> Passkey | None:
    """A passkey of this person; None for those of others."""
    parsed = parse_id(passkey_id)
    row = parsed and db.first(_FIND, passkey_id=parsed, of_user=user_id)
    return Passkey(*row) if row else None


def rename(db: Transaction, user_id: str, passkey_id: str, name: str) -> None:
    """Call a passkey of this person by another name; raises `InvalidNameError`."""
    db.later(_RENAME, passkey_id=passkey_id, of_user=user_id, new_name=_checked(name))


def delete_newer(db: Transaction, user_id: str, since: datetime) -> None:
    """Delete what was added since somebody else was in. It is a part of `endings`."""
    db.later(_DELETE_NEWER, of_user=user_id, since=since)


def withdraw_second_step(db: Transaction, user_id: str) -> None:
    """Ask for none after the password any more: those that open alone stay, for that.

    It is a part of `endings.reset_factors`.
    """
    db.later(_DELETE_SECOND, of_user=user_id)
    set_second_step(db, user_id, wanted=False)


def delete_row(db: Transaction, user_id: str, passkey_id: str) -> None:
    """Delete the row. It is a part of `ways_in.remove_passkey`."""
    db.later(_DELETE, passkey_id=passkey_id, of_user=user_id)


def _checked(name: str) -> str:
    checked = identifiers.normal_name(name)
    if checked is None:
        raise identifiers.InvalidNameError("missing")
    return checked
