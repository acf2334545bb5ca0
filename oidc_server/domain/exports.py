"""Everything that is stored about a person, for themselves, but for secrets.

Tables say by their references which rows are somebody's, so that nobody who adds one has to
remember this: a row whose `user_id` is theirs is told, with all that hangs on it. A column that
holds a secret, or what could be compared with one, is left out by its type or by its name.

What two people took part in is told to each without what is the other's: to whom it happened not
who did it and where they sat, to who did it not to whom, nor what they had before and after.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, bindparam, or_, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.audit import AuditEvent
from oidc_server.domain.base import Identifier, references_to, table_of
from oidc_server.domain.users import User

_WHO_DID_IT = ("actor_user_id", "invited_by")
_OF_WHO_DID_IT = ("address", "user_agent")
_OF_WHOM_IT_MET = ("user_id", "detail", "before", "after")
_SECRET = re.compile(r"hash|digest|secret|sealed|challenge|nonce|key\b|_key|^shown$")
_users = table_of(User)
_audit = table_of(AuditEvent)
_somebody = bindparam("of_user", type_=Identifier)


def everything_about(db: Transaction, user_id: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table that are about this person, oldest first where they have an order."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table, statement in _questions():
        for row in db.all(statement, of_user=user_id):
            told = {str(name): _plain(value) for name, value in row._asdict().items()}
            _blank_what_is_of_others(table, told, user_id)
            if told not in found[table]:  # two references may lead to the same row
                found[table].append(told)
    return dict(found)


def _blank_what_is_of_others(table: str, row: dict[str, Any], user_id: str) -> None:
    others = [name for name in _WHO_DID_IT if row.get(name) not in (None, user_id)]
    row.update(dict.fromkeys(others))
    if table != _audit.name:
        return
    if others:
        row.update(dict.fromkeys(_OF_WHO_DID_IT))
    if row["user_id"] not in (None, user_id):
        row.update(dict.fromkeys(_OF_WHOM_IT_MET))


@cache
def _questions() -> tuple[tuple[str, Statement], ...]:
    """Made at the first need: only then are all tables known."""
    about = or_(_audit.c.user_id == _somebody, _audit.c.actor_user_id == _somebody)
    return (
        _question(_users, _users.c.id == _somebody),
        *_what_hangs_on(_users, _users.c.id == _somebody),
        _question(_audit, about),
    )


def _question(table: Table, rows: ColumnElement[bool]) -> tuple[str, Statement]:
    told = [column for column in table.columns if not _is_secret(column)]
    return str(table.name), Statement(
        select(*told).where(rows).order_by(*table.primary_key.columns)
    )


def _what_hangs_on(table: Table, rows: ColumnElement[bool]) -> Iterator[tuple[str, Statement]]:
    """A question for each table that refers to these rows, and for those that refer to it."""
    for column, referred in references_to(table):
        child = column.table
        if table is _users and column.name != "user_id":
            continue  # somebody did something to a row that is another's
        theirs = (
            column == _somebody if table is _users else column.in_(select(referred).where(rows))
        )
        yield _question(child, theirs)
        yield from _what_hangs_on(child, theirs)


def _is_secret(column: Column[Any]) -> bool:
    return isinstance(column.type, LargeBinary) or _SECRET.search(column.name) is not None


def _plain(value: Any) -> Any:
    """As JSON can say it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return value if value is None or isinstance(value, (str, int, bool, dict, list)) else str(value)
