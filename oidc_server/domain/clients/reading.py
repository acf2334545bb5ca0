"""Finding clients: a small read tells the revision, the rest comes from snapshots."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, bindparam, exists, func, select, tuple_

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Instant, table_of
from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.domain.clients.snapshot import Client, UnknownClientError
from oidc_server.domain.clients.tables import ClientOrigin, ClientRow, ClientSecret

_CACHED_CLIENTS = 1000

_clients = table_of(ClientRow)
_secrets = table_of(ClientSecret)
_origins = table_of(ClientOrigin)

_REVISION = Statement(
    select(_clients.c.revision).where(
        _clients.c.client_id == bindparam("client_id"), _clients.c.disabled_at.is_(None)
    )
)
_LOAD = Statement(select(*_clients.columns).where(_clients.c.client_id == bindparam("client_id")))
_LOAD_SECRETS = Statement(
    select(_secrets.c.id, _secrets.c.digest, _secrets.c.sealed, _secrets.c.expires_at).where(
        _secrets.c.client_id == bindparam("client_id")
    )
)
_ALL = Statement(
    select(_clients.c.client_id)
    .where(_clients.c.deleted_at.is_(None))
    .order_by(_clients.c.created_at, _clients.c.client_id)
)
_IS_ORIGIN = Statement(
    select(
        exists().where(
            _origins.c.origin == bindparam("origin"),
            _origins.c.client_id == _clients.c.client_id,
            _clients.c.disabled_at.is_(None),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A client as lists tell of it."""

    client_id: str
    type: ClientType
    client_name: str
    created_at: datetime
    disabled_at: datetime | None
    self_registered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which clients; what is None does not matter."""

    search: str | None = None
    """A part of the name."""
    type: str | None = None
    disabled: bool | None = None


def find(db: Transaction, client_id: str) -> Client | None:
    """The client, or None when there is none or it is disabled.

    One small read tells its revision; the rest comes from the snapshots this process keeps. Absence
    is never kept.
    """
    row = db.first(_REVISION, client_id=client_id)
    return None if row is None else at_revision(db, client_id, row.revision)


def at_revision(db: Transaction, client_id: str, revision: int) -> Client:
    """An enabled client whose revision another statement of this request has read."""
    snapshots: dict[str, Client] = db.memory.setdefault("clients", {})
    snapshot = snapshots.get(client_id)
    if snapshot is None or snapshot.revision != revision:
        snapshot = _read(db, db.first(_LOAD, client_id=client_id))
        if len(snapshots) >= _CACHED_CLIENTS:
            snapshots.pop(next(iter(snapshots)), None)
        snapshots[client_id] = snapshot
    return snapshot


def load(db: Transaction, client_id: str) -> Client:
    """The client as stored, disabled or not; raises `UnknownClientError`."""
    row = db.first(_LOAD, client_id=client_id)
    if row is None or row.deleted_at is not None:
        raise UnknownClientError(f"There is no client {client_id}.")
    return _read(db, row)


def _read(db: Transaction, row: Any) -> Client:
    secrets = db.all(_LOAD_SECRETS, client_id=row.client_id)
    return Client(
        client_id=row.client_id,
        revision=row.revision,
        type=row.type,
        metadata=ClientMetadata.from_document(row.metadata),
        secrets=tuple((secret.digest, secret.expires_at) for secret in secrets),
        sealed_secrets=tuple(
            (secret.id, secret.sealed, secret.expires_at) for secret in secrets if secret.sealed
        ),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        tokens_not_before=row.tokens_not_before,
        self_registered=row.registration_digest is not None,
    )


def is_origin(db: Transaction, origin: str) -> bool:
    """Whether scripts of this origin belong to a registered single-page application."""
    return bool(db.first(_IS_ORIGIN, origin=origin)[0])


def list_clients(db: Transaction) -> list[Client]:
    """Every client, oldest first, disabled ones included."""
    rows = db.all(_ALL)
    return [load(db, row.client_id) for row in rows]


def search(
    db: Transaction,
    wanted: Wanted,
    *,
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> list[Listed]:
    """At most `limit` clients, newest first, that come `after` one with this time and id."""
    given: dict[str, Any] = {}
    if wanted.search is not None:
        literal = re.sub(r"([\\%_])", r"\\\1", wanted.search.lower())
        given["search"] = f"%{literal}%"
    if wanted.type is not None:
        given["type"] = wanted.type
    if after is not None:
        given["created_at"], given["client_id"] = after
    names = set(given) | ({"disabled"} if wanted.disabled else set())
    names |= {"enabled"} if wanted.disabled is False else set()
    rows = db.all(_page(frozenset(names)), how_many=limit, **given)
    return [Listed(*row) for row in rows]


_name = _clients.c["metadata"]["client_name"].as_string()
_LISTED = (
    _clients.c.client_id,
    _clients.c.type,
    _name.label("client_name"),
    _clients.c.created_at,
    _clients.c.disabled_at,
    _clients.c.registration_digest.is_not(None).label("self_registered"),
)


@lru_cache(maxsize=64)
def _page(given: frozenset[str]) -> Statement:
    columns = _clients.columns
    at, last = bindparam("created_at", type_=Instant), bindparam("client_id", type_=Text)
    conditions = {
        "search": func.lower(_name).like(bindparam("search", type_=Text), escape="\\"),
        "type": columns.type == bindparam("type"),
        "disabled": columns.disabled_at.is_not(None),
        "enabled": columns.disabled_at.is_(None),
        "created_at": tuple_(columns.created_at, columns.client_id) < tuple_(at, last),
    }
    return Statement(
        select(*_LISTED)
        .where(
            columns.deleted_at.is_(None),
            *[conditions[name] for name in sorted(given & conditions.keys())],
        )
        .order_by(columns.created_at.desc(), columns.client_id.desc())
        .limit(bindparam("how_many"))
    )
