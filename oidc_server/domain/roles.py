"""Roles: what a person may do on this server beyond having an account."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text, bindparam, exists, literal_column, select
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Base, Identifier, Instant, insert_all, table_of

ADMIN = "admin"
"""May administer everything."""


class RoleAssignment(Base):
    """One person has one role."""

    __tablename__ = "role_assignments"

    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True, index=True)
    assigned_at: Mapped[datetime] = mapped_column(Instant)


_assignments = table_of(RoleAssignment)
_ASSIGN = Statement(insert_all(_assignments).on_conflict_do_nothing())
_ROLES_OF = Statement(
    select(_assignments.c.role).where(_assignments.c.user_id == bindparam("user_id"))
)
_ADMINISTRATOR_EXISTS = Statement(
    select(exists().where(_assignments.c.role == literal_column(f"'{ADMIN}'")))
)


def assign(db: Transaction, user_id: str, role: str, now: datetime) -> None:
    """Give a person a role; they may have it already."""
    db.run(_ASSIGN, user_id=user_id, role=role, assigned_at=now)


def roles_of(db: Transaction, user_id: str) -> frozenset[str]:
    """The roles this person has."""
    return frozenset(row.role for row in db.all(_ROLES_OF, user_id=user_id))


def give(held: frozenset[str], scope: str) -> bool:
    """Whether one of these roles lets a person use a scope for others than themselves."""
    del scope  # an administrator may everything
    return ADMIN in held


def administrator_exists(db: Transaction) -> bool:
    """Whether this server was ever set up: one small read."""
    return bool(db.first(_ADMINISTRATOR_EXISTS)[0])
