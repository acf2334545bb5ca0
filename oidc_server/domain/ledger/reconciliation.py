"""Whether entries, balances, reservations and refunds agree. It mends nothing: it tells."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, and_, bindparam, cast, func, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.ledger.tables import EntryType, accounts, entries, reservations


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something of a user's that should be `expected`, by the entries, and is `found`."""

    user_id: str
    what: str
    expected: int
    found: int


def _whole(expression: Any) -> Any:
    """A sum as an integer: PostgreSQL makes numerics of sums."""
    return cast(func.coalesce(expression, 0), BigInteger)


_sums = (
    select(
        entries.c.user_id,
        _whole(func.sum(entries.c.balance_change)).label("balance"),
        _whole(func.sum(entries.c.reserved_change)).label("reserved"),
        func.count().label("entries"),
        func.max(entries.c.sequence).label("sequence"),
    )
    .group_by(entries.c.user_id)
    .subquery()
)
_accounts_and_sums = accounts.outerjoin(_sums, _sums.c.user_id == accounts.c.user_id)


def _of_accounts(expected: Any, found: Any) -> Select[Any]:
    return (
        select(accounts.c.user_id, _whole(expected).label("expected"), found.label("found"))
        .select_from(_accounts_and_sums)
        .where(_whole(expected) != found)
    )


_numbered = select(
    entries.c.user_id,
    entries.c.new_balance,
    (
        func.coalesce(
            func.lag(entries.c.new_balance).over(
                partition_by=entries.c.user_id, order_by=entries.c.sequence
            ),
            0,
        )
        + entries.c.balance_change
    ).label("expected"),
).subquery()
_running: Select[Any] = select(
    _numbered.c.user_id, _whole(_numbered.c.expected), _numbered.c.new_balance
).where(_numbered.c.expected != _numbered.c.new_balance)

_held = (
    select(reservations.c.user_id, func.sum(reservations.c.amount).label("amount"))
    .where(reservations.c.settled_at.is_(None))
    .group_by(reservations.c.user_id)
    .subquery()
)
_open: Select[Any] = (
    select(accounts.c.user_id, _whole(_held.c.amount), accounts.c.reserved)
    .select_from(accounts.outerjoin(_held, _held.c.user_id == accounts.c.user_id))
    .where(_whole(_held.c.amount) != accounts.c.reserved)
)

_later = entries.alias("later")


_later_sum = _whole(func.sum(_later.c.amount))


def _beyond(*conditions: Any) -> Select[Any]:
    """Entries whose later ones add up to more than themselves."""
    return (
        select(entries.c.user_id, entries.c.amount, _later_sum)
        .join(_later, and_(_later.c.original_id == entries.c.id, *conditions))
        .group_by(entries.c.id, entries.c.user_id, entries.c.amount)
        .having(_later_sum > entries.c.amount)
    )


_refunds = _beyond(_later.c.type == EntryType.REFUNDED.value)
_settlements = _beyond(_later.c.type != EntryType.REFUNDED.value)

_CHECKS = {
    what: Statement(query.limit(bindparam("most")))
    for what, query in {
        "balance": _of_accounts(_sums.c.balance, accounts.c.balance),
        "reserved": _of_accounts(_sums.c.reserved, accounts.c.reserved),
        "number of entries": _of_accounts(_sums.c.entries, accounts.c.sequence),
        "number of the last entry": _of_accounts(_sums.c.sequence, accounts.c.sequence),
        "balance after an entry": _running,
        "open reservations": _open,
        "refunds of an entry": _refunds,
        "settlement of a reservation": _settlements,
    }.items()
}


def reconcile(db: Transaction, most: int = 1000) -> list[Mismatch]:
    """Everything that does not agree, at most so many of each kind.

    Each kind is looked for in one statement, so that what happens meanwhile is no mismatch.
    """
    return [
        Mismatch(row[0], what, row[1], row[2])
        for what, statement in _CHECKS.items()
        for row in db.all(statement, most=most)
    ]
