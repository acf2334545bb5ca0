"""Lists of clients: newest first, or by name those whose names begin with what is searched for.

A page costs the same however many clients there are: it walks one index, and looks at a limited
number of rows. So where a filter leaves few, a page may hold less than was asked for, even nothing,
and still say where to go on.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Text, bindparam, select, tuple_

from oidc_server.database import Statement, Transaction
from oidc_server.domain import identifiers
from oidc_server.domain.base import AFTER_ALL, Instant, table_of
from oidc_server.domain.client_metadata import ClientType
from oidc_server.domain.clients.tables import ClientRow

_MOST_EXAMINED = 1000
_AT_ONCE = 200
_LONGEST_NAME = 100

_clients = table_of(ClientRow)


@dataclass(frozen=True, slots=True)
class Listed:
    """A client as lists tell of it."""

    client_id: str
    type: ClientType
    client_name: str
    canonical_name: str
    created_at: datetime
    disabled_at: datetime | None
    self_registered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which clients; what is None does not matter."""

    search: str | None = None
    """The beginning of the name."""
    type: str | None = None
    disabled: bool | None = None

    @property
    def has_filter(self) -> bool:
        return self.type is not None or self.disabled is not None

    def fits(self, client: Listed) -> bool:
        return self.type in (None, client.type) and self.disabled in (
            None,
            client.disabled_at is not None,
        )


class Place(NamedTuple):
    """Where a page ended: when that client was made, or in a search its canonical name."""

    key: datetime | str
    client_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the clients, and where the next page begins; None at the end."""

    clients: list[Listed]
    next: Place | None


def canonical_name(name: str) -> str:
    """A name in a form in which two spellings of it are equal, as far as it is compared."""
    return identifiers.folded(name)[:_LONGEST_NAME]


def page(db: Transaction, wanted: Wanted, limit: int, after: Place | None = None) -> Page:
    """At most `limit` clients that come `after` a place of such a list."""
    found: list[tuple[Listed, Place]] = []
    examined, how_many = 0, _AT_ONCE if wanted.has_filter else limit + 1
    while True:
        batch = _batch(db, wanted, after, how_many)
        for client in batch:
            place = Place(client.created_at, client.client_id)
            if wanted.search is not None:
                place = Place(client.canonical_name, client.client_id)
            if wanted.fits(client):
                found.append((client, place))
            if len(found) > limit:
                return Page([client for client, _ in found[:limit]], found[limit - 1][1])
            after = place
        examined += len(batch)
        if len(batch) < how_many:
            return Page([client for client, _ in found], None)
        if examined >= _MOST_EXAMINED:
            return Page([client for client, _ in found], after)


def _batch(db: Transaction, wanted: Wanted, after: Place | None, how_many: int) -> list[Listed]:
    values: dict[str, Any] = {}
    if wanted.search is not None:
        prefix = canonical_name(wanted.search)
        values = {"prefix": prefix, "end": prefix + AFTER_ALL}
    if after is not None:
        values |= {"key": after.key, "client_id": after.client_id}
    return [
        Listed(*row) for row in db.all(_statement(frozenset(values)), how_many=how_many, **values)
    ]


@lru_cache(maxsize=4)
def _statement(given: frozenset[str]) -> Statement:
    """Along one index: that of the names if there is a `prefix`, else that of time."""
    columns = _clients.columns
    chosen = select(
        columns.client_id,
        columns.type,
        columns["metadata"]["client_name"].as_string().label("client_name"),
        columns.canonical_name,
        columns.created_at,
        columns.disabled_at,
        columns.registration_digest.is_not(None).label("self_registered"),
    ).where(columns.deleted_at.is_(None))
    last = bindparam("client_id", type_=Text)
    order: tuple[ColumnElement[Any], ...]
    if "prefix" in given:
        name = columns.canonical_name
        chosen = chosen.where(name >= bindparam("prefix"), name < bindparam("end"))
        beyond = tuple_(name, columns.client_id) > tuple_(bindparam("key", type_=Text), last)
        order = name.asc(), columns.client_id.asc()
    else:
        made = tuple_(columns.created_at, columns.client_id)
        beyond = made < tuple_(bindparam("key", type_=Instant), last)
        order = columns.created_at.desc(), columns.client_id.desc()
    if "key" in given:
        chosen = chosen.where(beyond)
    return Statement(chosen.order_by(*order).limit(bindparam("how_many")))
