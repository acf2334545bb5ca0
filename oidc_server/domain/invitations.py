"""Invitations: somebody may make an account where not everybody may, once.

A row is an id with an end and the mark of its use. What the invited hold is a link: the id with a
MAC that the database cannot make, like that of `links.py`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Text, and_, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain import identifiers, mails, roles, users
from oidc_server.domain.base import (
    Base,
    DomainError,
    Identifier,
    Instant,
    delete_some,
    insert_all,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.domain.mails import MailKind
from oidc_server.domain.roles import Held, UnknownRoleError

LONGEST = timedelta(days=90)
USUAL = timedelta(days=7)
GIVING = "roles:write"
"""The scope without which nobody gives a role, through an invitation either."""
_KEPT_AFTER_EXPIRY = timedelta(days=90)


class InvitationRow(Base):
    """An invitation; at most one of `used_at` and `revoked_at` is ever set.

    `user_id` is who used it: with their account it goes.
    """

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    email: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    invited_by: Mapped[str | None] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    user_id: Mapped[str | None] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class SpentInvitationError(DomainError):
    """Somebody else was faster with the same invitation."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation. With `email` it is for that address alone, and proves it; `role` is given."""

    id: str
    email: str | None
    role: str | None
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    user_id: str | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """`open`, `used`, `revoked` or `expired`."""
        if self.used_at is not None:
            return "used"
        if self.revoked_at is not None:
            return "revoked"
        return "open" if now < self.expires_at else "expired"


_invitations = table_of(InvitationRow)
_columns = tuple(_invitations.c[name] for name in Invitation.__dataclass_fields__)
_open = and_(
    _invitations.c.id == bindparam("of_id"),
    _invitations.c.used_at.is_(None),
    _invitations.c.revoked_at.is_(None),
    _invitations.c.expires_at > bindparam("now", type_=Instant),
)
_INSERT = Statement(insert_all(_invitations))
_FIND = Statement(select(*_columns).where(_open))
_REDEEM = Statement(
    update(_invitations)
    .where(_open)
    .values(used_at=bindparam("now", type_=Instant), user_id=bindparam("by"))
)
_REVOKE = Statement(
    update(_invitations).where(_open).values(revoked_at=bindparam("now", type_=Instant))
)
_REVOKE_WITH_ROLE = Statement(
    update(_invitations)
    .where(
        _invitations.c.invited_by == bindparam("of_user"),
        _invitations.c.role.is_not(None),
        _invitations.c.used_at.is_(None),
        _invitations.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("now", type_=Instant))
)
_PAGE = Statement(
    select(*_columns)
    .where(_invitations.c.id < bindparam("before"))
    .order_by(_invitations.c.id.desc())
    .limit(bindparam("at_most"))
)
_PRUNE = Statement(delete_some(_invitations, _invitations.c.expires_at < bindparam("long_ago")))
_AFTER_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def create(
    db: Transaction,
    *,
    email: str | None,
    role: str | None,
    invited_by: str | None,
    lifetime: timedelta,
    now: datetime,
) -> Invitation:
    """Invite somebody; one with an address gets a mail with the link, which nobody else sees.

    Raises `InvalidEmailError`, `UnknownRoleError`.
    """
    if role is not None:
        roles.get(db, role)
    made = Invitation(
        id=new_id(now),
        email=identifiers.normal_email(email) if email else None,
        role=role,
        invited_by=invited_by,
        created_at=now,
        expires_at=now + lifetime,
        used_at=None,
        user_id=None,
        revoked_at=None,
    )
    db.later(_INSERT, **{name: getattr(made, name) for name in Invitation.__dataclass_fields__})
    if made.email is not None:
        mails.enqueue(
            db,
            MailKind.INVITATION,
            user_id=None,
            to=made.email,
            link_id=made.id,
            now=now,
        )
    return made


def find(db: Transaction, invitation_id: str, now: datetime) -> Invitation | None:
    """The invitation, if it could be used now. Looking does not use it: mail scanners look too.

    One that gives a role is void while its inviter could not give that role themselves.
    """
    parsed = parse_id(invitation_id)
    row = parsed and db.first(_FIND, of_id=parsed, now=now)
    found = Invitation(*row) if row else None
    return found if found and _is_still_meant(db, found) else None


def redeem(db: Transaction, invitation: Invitation, user_id: str, now: datetime) -> bool:
    """Use it for an account, once: one conditional UPDATE, so of many callers one gets it.

    The account gets the role, if there still is such a one. Nobody takes from the inviter what they
    give it by, before this is over.
    """
    if not _is_still_meant(db, invitation, roles.hold):
        return False
    if not db.run(_REDEEM, of_id=invitation.id, now=now, by=user_id):
        return False
    if invitation.role is not None:
        with suppress(UnknownRoleError):
            roles.assign(db, user_id, invitation.role, now)
    return True


def revoke(db: Transaction, invitation_id: str, now: datetime) -> bool:
    """Withdraw an invitation; False if it is not open."""
    parsed = parse_id(invitation_id)
    return parsed is not None and db.run(_REVOKE, of_id=parsed, now=now) == 1


def revoke_of_inviter(db: Transaction, user_id: str, now: datetime) -> None:
    """Withdraw what would give a role in the name of somebody who is being deleted.

    Afterwards no row says who invited, and they would look like the operator's own.
    """
    db.later(_REVOKE_WITH_ROLE, of_user=user_id, now=now)


def page(db: Transaction, limit: int, before: str | None = None) -> list[Invitation]:
    """At most `limit` invitations, newest first, from before the one with this id."""
    return [Invitation(*row) for row in db.all(_PAGE, before=before or _AFTER_ALL, at_most=limit)]


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete invitations a while after their end; returns how many rows went."""
    return db.run(_PRUNE, long_ago=now - _KEPT_AFTER_EXPIRY, batch=limit)


def _is_still_meant(
    db: Transaction,
    invitation: Invitation,
    held_by: Callable[[Transaction, str], Held] = roles.held_by,
) -> bool:
    """Whether who invited could give its role now; operators and services may, and no role is free.

    A role that is gone gives nothing, so it voids nothing.
    """
    if invitation.role is None or invitation.invited_by is None:
        return True
    held = held_by(db, invitation.invited_by)  # before the role, which may be changed until then
    role = roles.find(db, invitation.role)
    if role is None:
        return True
    inviter = users.find(db, invitation.invited_by)
    if inviter is None or inviter.disabled_at is not None:
        return False
    return held.give(GIVING) and held.cover(role.held)
