"""Finding clients: a small read tells the revision, the rest comes from snapshots."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Text, bindparam, case, exists, select, tuple_

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Instant, table_of
from oidc_server.domain.client_metadata import ClientMetadata
from oidc_server.domain.clients.snapshot import Client, UnknownClientError
from oidc_server.domain.clients.tables import ClientOrigin, ClientRow, ClientSecret

_CACHED_CLIENTS = 1000
_AT_ONCE = 200
_BEFORE_ALL = datetime.fromtimestamp(0, UTC)

_clients = table_of(ClientRow)
_secrets = table_of(ClientSecret)
_origins = table_of(ClientOrigin)

LIVE_REVISION = case((_clients.c.disabled_at.is_(None), _clients.c.revision)).label("live_revision")
"""The column that a join selects to `prime` `find`: None for a disabled client."""
_REVISION = Statement(
    select(_clients.c.revision).where(
        _clients.c.client_id == bindparam("client_id"), _clients.c.disabled_at.is_(None)
    )
)
_LOAD = Statement(select(*_clients.columns).where(_clients.c.client_id == bindparam("client_id")))
_LOAD_SECRETS = Statement(
    select(
        _secrets.c.id,
        _secrets.c.digest,
        _secrets.c.sealed,
        _secrets.c.created_at,
        _secrets.c.expires_at,
    ).where(_secrets.c.client_id == bindparam("client_id"))
)
_NEXT = Statement(
    select(*_clients.columns)
    .where(
        _clients.c.deleted_at.is_(None),
        tuple_(_clients.c.created_at, _clients.c.client_id)
        > tuple_(bindparam("created_at", type_=Instant), bindparam("client_id", type_=Text)),
    )
    .order_by(_clients.c.created_at, _clients.c.client_id)
    .limit(_AT_ONCE)
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


def find(db: Transaction, client_id: str) -> Client | None:
    """The client, or None when there is none or it is disabled.

    One small read tells its revision; the rest comes from the snapshots this process keeps. Absence
    is never kept.
    """
    row = db.first(_REVISION, client_id=client_id)
    return None if row is None else at_revision(db, client_id, row.revision)


def prime(db: Transaction, client_id: str, live_revision: int | None) -> None:
    """Spare the next `find` its read: a join has selected `LIVE_REVISION`."""
    values = None if live_revision is None else (live_revision,)
    db.prime(_REVISION, values, client_id=client_id)


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
    return client_of(row, db.all(_LOAD_SECRETS, client_id=row.client_id))


def client_of(row: Any, secrets: Sequence[Any]) -> Client:
    """The client that a row and those of its secrets make."""
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
        newest_secret_at=max((secret.created_at for secret in secrets), default=None),
    )


def is_origin(db: Transaction, origin: str) -> bool:
    """Whether scripts of this origin belong to a registered single-page application."""
    return bool(db.first(_IS_ORIGIN, origin=origin)[0])


def each_client(db: Transaction) -> Iterator[Client]:
    """Every client, oldest first, disabled ones included; few of them are read at a time."""
    after = {"created_at": _BEFORE_ALL, "client_id": ""}
    while rows := db.all(_NEXT, **after):
        for row in rows:
            yield _read(db, row)
        after = {"created_at": rows[-1].created_at, "client_id": rows[-1].client_id}
