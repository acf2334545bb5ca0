"""Links for one person and one purpose: choose a new password, confirm an address, set up.

A row is an id with a purpose, an end, and the mark of its use. The link itself is made when it is
sent: the id with a MAC that the database cannot make (`security/signed_links.py`). So is the code
that may be typed instead, for some minutes and with few guesses; whoever types it is signed in.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    Text,
    and_,
    bindparam,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain import roles
from oidc_server.domain.base import (
    Base,
    Identifier,
    Instant,
    delete_some,
    insert_all,
    parse_id,
    table_of,
)
from oidc_server.domain.users import User

_KEPT_AFTER_EXPIRY = timedelta(days=7)
_MOST_GUESSES = 5


class Purpose(StrEnum):
    """What a link is for; a link made for one purpose is void for every other."""

    RESET_PASSWORD = "reset_password"
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    UNDO_EMAIL_CHANGE = "undo_email_change"
    NOT_ME = "not_me"
    SET_UP = "set_up"
    INVITATION = "invitation"
    """Its rows are in `invitations.py`."""


OF_OLD_ADDRESS = (Purpose.UNDO_EMAIL_CHANGE, Purpose.NOT_ME)
"""Links that help whoever read the address which an account had."""


class LinkRow(Base):
    """A link; `spent_at` says when it was used or withdrawn. One at most is open to set up.

    Of the links of a person for one purpose, one at most has a code that may still be typed.
    """

    __tablename__ = "links"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    email: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant, index=True)
    spent_at: Mapped[datetime | None] = mapped_column(Instant)
    code_expires_at: Mapped[datetime | None] = mapped_column(Instant)
    code_guesses: Mapped[int] = mapped_column(Integer, server_default="0")

    __table_args__ = (
        Index(
            "uq_links_open_set_up",
            "purpose",
            unique=True,
            sqlite_where=text("purpose = 'set_up' AND spent_at IS NULL"),
            postgresql_where=text("purpose = 'set_up' AND spent_at IS NULL"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Link:
    """A link that works. `user_id` and `email` are what it was made for.

    `code_expires_at` is there while a code may be typed instead.
    """

    id: str
    purpose: Purpose
    user_id: str | None
    email: str | None
    created_at: datetime
    expires_at: datetime | None
    code_expires_at: datetime | None


_links = table_of(LinkRow)
_users = table_of(User)
_open = and_(
    _links.c.purpose == bindparam("of_purpose"),
    _links.c.spent_at.is_(None),
    or_(_links.c.expires_at.is_(None), _links.c.expires_at > bindparam("now", type_=Instant)),
)
_columns = tuple(_links.c[name] for name in Link.__dataclass_fields__)
_of_person = and_(
    _links.c.user_id == bindparam("of_user"),
    _links.c.purpose == bindparam("of_purpose"),
    _links.c.spent_at.is_(None),
)

_MINT = Statement(insert_all(_links).on_conflict_do_nothing())
_FIND = Statement(select(*_columns).where(_links.c.id == bindparam("link_id"), _open))
_CONSUME = Statement(
    update(_links)
    .where(_links.c.id == bindparam("link_id"), _open)
    .values(spent_at=bindparam("now", type_=Instant))
    .returning(*_columns)
)
_HOLD_OWNER = Statement(
    select(_users.c.id)
    .join(_links, _links.c.user_id == _users.c.id)
    .where(_links.c.id == bindparam("link_id"), _open)
    .with_for_update(of=_users, key_share=True)  # as `users.hold`
)
_KILL = Statement(update(_links).where(_of_person).values(spent_at=bindparam("now")))
_KILL_NEWER = Statement(
    update(_links)
    .where(_of_person, _links.c.created_at >= bindparam("since", type_=Instant))
    .values(spent_at=bindparam("now"))
)
_END_CODES = Statement(update(_links).where(_of_person).values(code_expires_at=null()))
_GUESS_CODE = Statement(
    update(_links)
    .where(
        _of_person,
        _links.c.code_expires_at > bindparam("now", type_=Instant),
        _links.c.code_guesses < literal_column(str(_MOST_GUESSES), Integer),
    )
    .values(code_guesses=_links.c.code_guesses + literal_column("1", Integer))
    .returning(*_columns)
)
_OPEN_SET_UP = Statement(
    select(_links.c.id).where(
        # Spelled out, so that a prepared statement can use the index that has it as its condition.
        _links.c.purpose == literal_column("'set_up'"),
        _links.c.spent_at.is_(None),
    )
)
_PRUNE = Statement(delete_some(_links, _links.c.expires_at < bindparam("long_ago")))


def mint(
    db: Transaction,
    purpose: Purpose,
    *,
    user_id: str | None,
    email: str | None,
    now: datetime,
    lifetime: timedelta | None,
    code_lifetime: timedelta | None = None,
) -> str:
    """Make a link and return its id. Without a lifetime it lives until it is used.

    With `code_lifetime` its code may be typed instead, and that of an earlier link no more.
    """
    link_id = str(uuid.uuid4())
    if code_lifetime is not None:
        db.later(_END_CODES, of_user=user_id, of_purpose=purpose.value)
    db.later(
        _MINT,
        id=link_id,
        purpose=purpose.value,
        user_id=user_id,
        email=email,
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
        spent_at=None,
        code_expires_at=None if code_lifetime is None else now + code_lifetime,
        code_guesses=0,
    )
    return link_id


def find(db: Transaction, link_id: str, purpose: Purpose, now: datetime) -> Link | None:
    """The link, if it could be used now. Looking does not use it: mail scanners look too."""
    return _link(db, _FIND, link_id, purpose, now)


def consume(db: Transaction, link_id: str, purpose: Purpose, now: datetime) -> Link | None:
    """Use a link once: one conditional UPDATE, so of many callers one gets it.

    Its person is held before, as by whoever withdraws their links (ADR 0024).
    """
    if (parsed := parse_id(link_id)) is not None:
        db.first(_HOLD_OWNER, link_id=parsed, of_purpose=purpose.value, now=now)
    return _link(db, _CONSUME, link_id, purpose, now)


def guess_code(db: Transaction, user_id: str, purpose: Purpose, now: datetime) -> Link | None:
    """Count a guess at the code of this person's link, and return the link; None if none is left.

    The guess is compared afterwards: of many at once no more come through than are free.
    """
    row = db.first(_GUESS_CODE, of_user=user_id, of_purpose=purpose.value, now=now)
    return _read(row) if row else None


def kill(db: Transaction, user_id: str, purpose: Purpose, now: datetime) -> None:
    """Withdraw every unused link of this person for this purpose."""
    db.later(_KILL, of_user=user_id, of_purpose=purpose.value, now=now)


def kill_all(db: Transaction, user_id: str, now: datetime, keep: Collection[Purpose] = ()) -> None:
    """Withdraw every unused link of this person, but those for the purposes in `keep`."""
    for purpose in Purpose:
        if purpose not in keep:
            kill(db, user_id, purpose, now)


def kill_newer(db: Transaction, link: Link, purpose: Purpose, now: datetime) -> None:
    """Withdraw what was made for the same person, and for `purpose`, since this link was."""
    db.later(
        _KILL_NEWER,
        of_user=link.user_id,
        of_purpose=purpose.value,
        since=link.created_at,
        now=now,
    )


def open_setup(db: Transaction, now: datetime) -> str | None:
    """The id of the one link that sets this server up; None once there is an administrator.

    Whoever uses it asks `roles.administrator_exists` again: the first administrator ends it,
    however they were made.
    """
    if roles.administrator_exists(db):
        return None
    mint(db, Purpose.SET_UP, user_id=None, email=None, now=now, lifetime=None)
    return str(db.first(_OPEN_SET_UP).id)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete links a week after their end; returns how many rows went."""
    return db.run(_PRUNE, long_ago=now - _KEPT_AFTER_EXPIRY, batch=limit)


def _link(
    db: Transaction, statement: Statement, link_id: str, purpose: Purpose, now: datetime
) -> Link | None:
    parsed = parse_id(link_id)
    row = parsed and db.first(statement, link_id=parsed, of_purpose=purpose.value, now=now)
    return _read(row) if row else None


def _read(row: Any) -> Link:
    return Link(row.id, Purpose(row.purpose), *row[2:])
