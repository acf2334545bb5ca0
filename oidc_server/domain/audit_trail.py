"""Reading the audit log, and how long it is kept."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.audit import AuditEvent, Outcome
from oidc_server.domain.base import Base, Instant, delete_some, first_id, insert_all, table_of


class AuditHorizon(Base):
    """One row: the time since which events are kept. Triggers refuse to delete younger ones."""

    __tablename__ = "audit_horizon"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kept_since: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A search of the audit log; None matches everything."""

    event: str | None = None
    outcome: Outcome | None = None
    actor: str | None = None
    actor_user_id: str | None = None
    actor_client_id: str | None = None
    user_id: str | None = None
    client_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, as it is shown."""

    id: str
    at: datetime
    event: str
    outcome: str
    actor: str
    actor_user_id: str | None
    actor_client_id: str | None
    user_id: str | None
    client_id: str | None
    reference: str
    address: str
    user_agent: str
    detail: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_events = table_of(AuditEvent)
_horizon = table_of(AuditHorizon)
_ONLY = 1
_of_horizon = insert_all(_horizon)
_MOVE_HORIZON = Statement(
    _of_horizon.on_conflict_do_update(
        index_elements=[_horizon.c.id],
        set_={"kept_since": _of_horizon.excluded.kept_since},
        where=_horizon.c.kept_since < _of_horizon.excluded.kept_since,
    )
)
_PRUNE = Statement(delete_some(_events, _events.c.id < bindparam("first_kept")))


def search(
    db: Transaction, wanted: Filter, *, limit: int, before: str | None = None
) -> list[Entry]:
    """At most `limit` events, newest first; further pages begin `before` the last one's id."""
    values = {name: value for name, value in asdict(wanted).items() if value is not None}
    outcome = {values.pop("outcome").value} if "outcome" in values else set()
    if wanted.since is not None:
        values["first"] = first_id(wanted.since)
    # The end of the time range or the end of the last page, whichever is earlier.
    ends = [] if before is None else [before]
    if wanted.until is not None:
        ends.append(first_id(wanted.until + timedelta(milliseconds=1)))
    if ends:
        values["end"] = min(ends)
    page = _page(frozenset(values.keys() | outcome))
    return [Entry(*row) for row in db.all(page, how_many=limit, **values)]


def prune(db: Transaction, now: datetime, limit: int, *, retention: timedelta) -> int:
    """Delete at most `limit` events that are older than `retention`; returns how many."""
    kept_since = now - retention
    db.later(_MOVE_HORIZON, id=_ONLY, kept_since=kept_since)
    return db.run(_PRUNE, first_kept=first_id(kept_since), batch=limit)


@lru_cache(maxsize=256)
def _page(given: frozenset[str]) -> Statement:
    """The statement for this set of filters; each of them has an index."""
    columns = _events.columns
    conditions = {
        "first": columns.id >= bindparam("first"),
        "end": columns.id < bindparam("end"),
        "since": columns.at >= bindparam("since"),
        "until": columns.at < bindparam("until"),
        **{name: columns[name] == bindparam(name) for name in _EQUAL},
        # As literals: a generic plan for a parameter could not use the partial index.
        **{name: columns.outcome == literal_column(f"'{name}'") for name in _OUTCOMES},
    }
    return Statement(
        select(*[columns[name] for name in _told(Entry)])
        .where(*[conditions[name] for name in sorted(given)])
        .order_by(columns.id.desc())
        .limit(bindparam("how_many"))
    )


def _told(kind: type[Any]) -> Iterable[str]:
    return [field.name for field in fields(kind)]


_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_EQUAL = tuple(name for name in _told(Filter) if name not in ("since", "until", "outcome"))
