"""The entries of a user, newest first."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.ledger.tables import Entry, EntryType, accounts, entries

_COUNT = Statement(
    select(func.coalesce(func.max(accounts.c.sequence), 0).label("entries")).where(
        accounts.c.user_id == bindparam("of_user")
    )
)
_PAGE = Statement(
    select(*[entries.c[name] for name in Entry.__dataclass_fields__])
    .where(entries.c.user_id == bindparam("of_user"), entries.c.sequence <= bindparam("newest"))
    .order_by(entries.c.sequence.desc())
    .limit(bindparam("how_many"))
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, how many there are in all, and the newest of the next page."""

    entries: list[Entry]
    total_count: int
    next_sequence: int | None


def history(
    db: Transaction, user_id: str, *, limit: int, newest: int | None = None, skip: int = 0
) -> Page:
    """A page that begins at the entry number `newest`, or after `skip` of the newest entries.

    The numbers have no gap, so counting and skipping cost the same however many there are.
    """
    total: int = db.first(_COUNT, of_user=user_id).entries
    first = total - skip if newest is None else newest
    rows = db.all(_PAGE, of_user=user_id, newest=first, how_many=limit)
    found = [Entry(**{**row._asdict(), "type": EntryType(row.type)}) for row in rows]
    last = found[-1].sequence if found else 0
    return Page(found, total, last - 1 if last > 1 else None)
