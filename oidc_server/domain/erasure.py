"""What is left of a person whose account is deleted: their random id, and what others have to keep.

Tables say by their references which rows are somebody's, so that nobody who adds one has to
remember this: a row whose `user_id` is theirs goes, with all that hangs on it, and any other
reference to them is emptied. `_KEPT` names what stays.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, null, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain import attempts
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.base import Identifier, Instant, references_to, table_of
from oidc_server.domain.outbox import OutboxRow, Queue
from oidc_server.domain.users import User

_KEPT = frozenset({"credit_accounts"})
"""The ledger: what was paid and used is the business of both sides."""

_users = table_of(User)
_audit = table_of(AuditEvent)
_outbox = table_of(OutboxRow)
_somebody = bindparam("of_user", type_=Identifier)

_EMPTY = Statement(
    update(_users)
    .where(_users.c.id == _somebody, _users.c.deleted_at.is_(None))
    .values(
        {column.name: null() for column in _users.columns if column.nullable}
        | {
            # A colon stands in no username, so nobody can have taken this one.
            "username": bindparam("nobody"),
            "canonical_username": bindparam("nobody"),
            "updated_at": bindparam("now", type_=Instant),
            "disabled_at": bindparam("now", type_=Instant),
            "deleted_at": bindparam("now", type_=Instant),
        }
    )
)
_FORGET_MAILS = Statement(
    delete(_outbox).where(
        _outbox.c.queue == Queue.MAIL.value,
        _outbox.c.payload["user_id"].as_string() == bindparam("of_user_text"),
    )
)
# The database lets nothing else of the log be changed, and this of people who are deleted only.
_FORGET_WHAT_WAS_DONE_TO_THEM = Statement(
    update(_audit)
    .where(_audit.c.user_id == _somebody)
    .values(
        address=bindparam("nowhere"),
        user_agent=bindparam("nowhere"),
        detail=bindparam("nothing", type_=_audit.c.detail.type),
        before=null(),
        after=null(),
    )
)
_FORGET_WHERE_THEY_DID_IT = Statement(
    update(_audit)
    .where(_audit.c.actor_user_id == _somebody)
    .values(address=bindparam("nowhere"), user_agent=bindparam("nowhere"))
)


def erase(db: Transaction, user_id: str, now: datetime) -> bool:
    """Remove all that is personal; False if that was done before.

    It is a part of `endings.delete_user`, which ends what goes on elsewhere.
    """
    if not db.run(_EMPTY, of_user=user_id, nobody=f"deleted:{user_id}", now=now):
        return False
    for statement in _removals():
        db.later(statement, of_user=user_id)
    attempts.forget(db, user_id)
    db.later(_FORGET_MAILS, of_user_text=user_id)
    db.later(_FORGET_WHAT_WAS_DONE_TO_THEM, of_user=user_id, nowhere="", nothing={})
    db.later(_FORGET_WHERE_THEY_DID_IT, of_user=user_id, nowhere="")
    return True


@cache
def _removals() -> tuple[Statement, ...]:
    """Made at the first need: only then are all tables known."""
    return tuple(Statement(found) for found in _what_refers_to(_users, _users.c.id == _somebody))


def _what_refers_to(table: Table, rows: ColumnElement[bool]) -> Iterator[Any]:
    """A statement for each reference to these rows: what hangs on a row comes before it."""
    for column, referred in references_to(table):
        child = column.table
        of_person = table is _users
        theirs = column == _somebody if of_person else column.in_(select(referred).where(rows))
        if child.name in _KEPT:
            continue
        if of_person and column.name != "user_id":
            yield update(child).where(theirs).values({column: null()})
            continue
        yield from _what_refers_to(child, theirs)
        yield delete(child).where(theirs)
