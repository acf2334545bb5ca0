"""Roles: what a person may do on this server, and to others, beyond having an account.

A role gives scopes. Whoever acts on others needs the scope in the token *and* a role that gives it
(ADR 0015). Three roles are built in; the others are rows. Everybody has the role `user`, which
gives nothing, so no row says it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Text,
    bindparam,
    delete,
    exists,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain.base import (
    Base,
    DomainError,
    FieldError,
    Identifier,
    Instant,
    WordSet,
    insert_all,
    seen,
    table_of,
    unchanged,
)
from oidc_server.domain.users import User

ADMIN = "admin"
"""May administer everything."""
MODERATOR = "moderator"
"""May look after people, but not after those who may more."""
USER = "user"
"""Everybody."""
BUILT_IN: Mapping[str, tuple[str, frozenset[str]]] = {
    ADMIN: ("Administers everything: it gives every scope.", frozenset()),
    MODERATOR: (
        "Looks after people: reads and disables accounts, ends sessions, reads credit.",
        frozenset({"users:read", "users:disable", "sessions:read", "sessions:write"})
        | {"credits:read"},
    ),
    USER: ("Everybody has it. It gives nothing over others.", frozenset()),
}
"""What each role of ours is for, and its scopes (`ApiScope`)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}", re.ASCII)
_LOCK = "roles"


class RoleRow(Base):
    """A role of the operator's own."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    description: Mapped[str] = mapped_column(Text)
    scopes: Mapped[frozenset[str]] = mapped_column(WordSet)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class RoleAssignment(Base):
    """One person has one role."""

    __tablename__ = "role_assignments"

    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    assigned_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (Index("ix_role_assignments_role_user_id", "role", "user_id"),)


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its name, what it is for, and the scopes it gives."""

    name: str
    description: str
    scopes: frozenset[str]

    @property
    def is_built_in(self) -> bool:
        return self.name in BUILT_IN

    @property
    def held(self) -> "Held":
        """What somebody has who has this role alone."""
        return Held(frozenset({self.name}), self.scopes)


@dataclass(frozen=True, slots=True)
class Held:
    """The roles that somebody has, and all that these give."""

    names: frozenset[str]
    scopes: frozenset[str]

    @property
    def is_administrator(self) -> bool:
        return ADMIN in self.names

    def give(self, scope: str) -> bool:
        """Whether one of them lets a person use a scope for others than themselves."""
        return self.is_administrator or scope in self.scopes

    def cover(self, other: "Held") -> bool:
        """Whether nothing that the other roles give is missing here.

        Nobody acts on somebody who may more, and nobody gives what they do not have: else the
        password of an administrator would be a step on the way to their role.
        """
        return self.is_administrator or (not other.is_administrator and other.scopes <= self.scopes)


class InvalidRoleError(FieldError):
    """`field` (`name` or `scopes`) of a role cannot be what it shall be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class RoleTakenError(DomainError):
    """There is a role of this name."""


class UnknownRoleError(DomainError):
    """There is no role of this name."""


class BuiltInRoleError(DomainError):
    """The role belongs to this server: it can be neither changed nor deleted."""


class LastAdministratorError(DomainError):
    """Without this administrator nobody could administer the server any more."""

    def __init__(self) -> None:
        super().__init__("This is the last administrator. Make another one first.")


_assignments = table_of(RoleAssignment)
_roles = table_of(RoleRow)
_users = table_of(User)
_ASSIGN = Statement(insert_all(_assignments).on_conflict_do_nothing())
_WITHDRAW = Statement(
    delete(_assignments).where(
        _assignments.c.user_id == bindparam("of_user"), _assignments.c.role == bindparam("of_role")
    )
)
_WITHDRAW_FROM_ALL = Statement(
    delete(_assignments).where(_assignments.c.role == bindparam("of_role"))
)
_ROLES_OF = Statement(
    select(_assignments.c.role).where(_assignments.c.user_id == bindparam("user_id"))
)
_HELD = Statement(
    select(_assignments.c.role, _roles.c.scopes)
    .outerjoin(_roles, _roles.c.name == _assignments.c.role)
    .where(_assignments.c.user_id == bindparam("user_id"))
)
_HOLD = Statement(
    select(_assignments.c.role, _roles.c.scopes)
    .join(_users, _users.c.id == _assignments.c.user_id)
    .outerjoin(_roles, _roles.c.name == _assignments.c.role)
    .where(_assignments.c.user_id == bindparam("user_id"), _users.c.disabled_at.is_(None))
    # Taking a role away, or closing the account, waits until what is done by it is committed.
    .with_for_update(read=True, of=(_assignments, _users))
)
_ADMINISTRATOR_EXISTS = Statement(
    select(exists().where(_assignments.c.role == literal_column(f"'{ADMIN}'")))
)
_role = select(_roles.c.name, _roles.c.description, _roles.c.scopes)
_FIND = Statement(_role.where(_roles.c.name == bindparam("of_name")))
_ALL = Statement(_role.order_by(_roles.c.name))
_INSERT = Statement(insert_all(_roles).on_conflict_do_nothing())
_CHANGEABLE = ("description", "scopes")
_CHANGE = Statement(
    update(_roles)
    .where(_roles.c.name == bindparam("of_name"), unchanged(_roles, _CHANGEABLE))
    .values(
        description=bindparam("description"),
        scopes=bindparam("scopes"),
        updated_at=bindparam("now"),
    )
)
_DELETE = Statement(
    delete(_roles).where(_roles.c.name == bindparam("of_name"), unchanged(_roles, _CHANGEABLE))
)


def assign(db: Transaction, user_id: str, role: str, now: datetime) -> bool:
    """Give a person a role; False if they have it already. Raises `UnknownRoleError`."""
    if role == USER:
        return False
    if role not in BUILT_IN:
        db.lock(_LOCK)  # a role that is being deleted must not be left with somebody
    get(db, role)
    return db.run(_ASSIGN, user_id=user_id, role=role, assigned_at=now) == 1


def withdraw(db: Transaction, user_id: str, role: str) -> bool:
    """Take a role from a person; False if they do not have it.

    Of an administrator, `administrators.keep_one` has to be asked before.
    """
    return db.run(_WITHDRAW, of_user=user_id, of_role=role) == 1


def roles_of(db: Transaction, user_id: str) -> frozenset[str]:
    """The names of the roles this person has."""
    return frozenset({USER, *(row.role for row in db.all(_ROLES_OF, user_id=user_id))})


def held_by(db: Transaction, user_id: str) -> Held:
    """The roles this person has, with what they give: one read."""
    return _held(db.all(_HELD, user_id=user_id))


def take_turn(db: Transaction) -> None:
    """Lock: one after the other, since two people may act on each other."""
    db.lock("administrators")


def hold(db: Transaction, user_id: str) -> Held:
    """The same, locked: nobody takes a role from this person, or changes it, before the end.

    The roles are those of an enabled account; a disabled one has only `user`.
    """
    take_turn(db)
    return _held(db.all(_HOLD, user_id=user_id))


def _held(rows: Sequence[Any]) -> Held:
    scopes = [
        BUILT_IN[row.role][1] if row.role in BUILT_IN else row.scopes or frozenset() for row in rows
    ]
    return Held(frozenset({USER, *(row.role for row in rows)}), frozenset().union(*scopes))


def administrator_exists(db: Transaction) -> bool:
    """Whether this server was ever set up: one small read."""
    return bool(db.first(_ADMINISTRATOR_EXISTS)[0])


def list_roles(db: Transaction) -> list[Role]:
    """Every role: those that are built in, then the others by name."""
    return [
        *(Role(name, *described) for name, described in BUILT_IN.items()),
        *(Role(*row) for row in db.all(_ALL)),
    ]


def find(db: Transaction, name: str) -> Role | None:
    if name in BUILT_IN:
        return Role(name, *BUILT_IN[name])
    row = db.first(_FIND, of_name=name)
    return Role(*row) if row else None


def get(db: Transaction, name: str) -> Role:
    """The role of this name; raises `UnknownRoleError`."""
    found = find(db, name)
    if found is None:
        raise UnknownRoleError(f"There is no role {name}.")
    return found


def scopes_of_all(db: Transaction) -> frozenset[str]:
    """Every scope that some role of the operator's own gives."""
    return frozenset().union(*(row.scopes for row in db.all(_ALL)))


def create(
    db: Transaction,
    *,
    name: str,
    description: str,
    scopes: frozenset[str],
    known: frozenset[str],
    now: datetime,
) -> Role:
    """Make a role that gives these scopes, all of which must be among those `known`.

    Raises `InvalidRoleError`, `RoleTakenError`.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRoleError("name", "Write lower-case letters, digits and ._:- only.")
    _check(scopes, known)
    values = {"name": name, "description": description, "scopes": scopes}
    if name in BUILT_IN or not db.run(_INSERT, **values, created_at=now, updated_at=now):
        raise RoleTakenError(f"There is a role {name} already.")
    return Role(name, description, scopes)


def change(
    db: Transaction,
    role: Role,
    *,
    description: str,
    scopes: frozenset[str],
    known: frozenset[str],
    now: datetime,
) -> Role:
    """Describe a role anew; whoever has it may at once what it gives now.

    Raises `BuiltInRoleError`, `InvalidRoleError` for a scope that is neither known nor there, and
    `ConflictError` if it is not the role any more that was read: else its change is undone.
    """
    _refuse_built_in(role)
    _check(scopes - role.scopes, known)
    take_turn(db)  # who does something by it does that before, or by what it gives then
    changed = db.run(
        _CHANGE,
        of_name=role.name,
        **seen(role, _CHANGEABLE),
        description=description,
        scopes=scopes,
        now=now,
    )
    if not changed:
        raise ConflictError("the role has changed")
    return Role(role.name, description, scopes)


def remove(db: Transaction, role: Role) -> int:
    """Delete a role, and take it from everybody; returns from how many.

    Raises `BuiltInRoleError`, and `ConflictError` if it is not the role any more that was read: it
    may give more now than whoever deletes it has.
    """
    _refuse_built_in(role)
    take_turn(db)
    db.lock(_LOCK)
    if not db.run(_DELETE, of_name=role.name, **seen(role, _CHANGEABLE)):
        raise ConflictError("the role has changed")
    return db.run(_WITHDRAW_FROM_ALL, of_role=role.name)


def _refuse_built_in(role: Role) -> None:
    if role.is_built_in:
        raise BuiltInRoleError(f"The role {role.name} belongs to this server.")


def _check(scopes: frozenset[str], known: frozenset[str]) -> None:
    unknown = sorted(scopes - known)
    if unknown:
        raise InvalidRoleError("scopes", f"There is no scope {' '.join(unknown)} here.")
