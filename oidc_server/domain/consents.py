"""What people allowed clients: remembered, widened, withdrawn."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ForeignKey, Text, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.base import Base, Identifier, Instant, WordSet, insert_all, table_of
from oidc_server.domain.clients import Client


class Consent(Base):
    """What one person allowed one client, all of it together.

    `shown` is a digest of what the person saw of the client: under another name, or with another
    place to go back to, it has to ask again.
    """

    __tablename__ = "consents"

    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.client_id"), primary_key=True)
    scopes: Mapped[frozenset[str]] = mapped_column(WordSet)
    resources: Mapped[frozenset[str]] = mapped_column(WordSet)
    shown: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Permission:
    """What a client may do: scopes, and the resources where its tokens are good (RFC 8707)."""

    scopes: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()

    @classmethod
    def asked_by(cls, request: AuthorizationRequest) -> "Permission":
        return cls(request.scopes_to_consent, frozenset(request.resources))

    def covers(self, other: "Permission") -> bool:
        return other.scopes <= self.scopes and other.resources <= self.resources

    def __or__(self, other: "Permission") -> "Permission":
        return Permission(self.scopes | other.scopes, self.resources | other.resources)


def unasked(issuer: str) -> Permission:
    """What needs no consent: the issuer as audience, which every token without `resource` has."""
    return Permission(resources=frozenset({issuer}))


_consents = table_of(Consent)
COLUMNS = (_consents.c.scopes, _consents.c.resources, _consents.c.shown)
_FIND = Statement(
    select(*COLUMNS).where(
        _consents.c.user_id == bindparam("user_id"), _consents.c.client_id == bindparam("client_id")
    )
)
_LOCK = Statement(
    select(*COLUMNS)
    .where(
        _consents.c.user_id == bindparam("user_id"), _consents.c.client_id == bindparam("client_id")
    )
    .with_for_update()  # two tabs that allow different things: both are kept
)
_new = insert_all(_consents)
_REMEMBER_FIRST = Statement(_new.on_conflict_do_nothing())
_WIDEN = Statement(
    update(_consents)
    .where(
        _consents.c.user_id == bindparam("of_user"), _consents.c.client_id == bindparam("of_client")
    )
    .values({name: bindparam(name) for name in ("scopes", "resources", "shown", "granted_at")})
)
_LIST_ALL = Statement(
    select(
        _consents.c.client_id, _consents.c.scopes, _consents.c.resources, _consents.c.granted_at
    ).where(_consents.c.user_id == bindparam("user_id"))
)
_WITHDRAW = Statement(
    delete(_consents).where(
        _consents.c.user_id == bindparam("user_id"), _consents.c.client_id == bindparam("client_id")
    )
)
_WITHDRAW_NEWER = Statement(
    delete(_consents).where(
        _consents.c.user_id == bindparam("of_user"),
        _consents.c.granted_at >= bindparam("since", type_=Instant),
    )
)
_FORGET_CLIENT = Statement(delete(_consents).where(_consents.c.client_id == bindparam("client_id")))


def find(db: Transaction, user_id: str, client: Client) -> Permission:
    """What this person allowed this client as it looks now; nothing when there is no consent."""
    row = db.first(_FIND, user_id=user_id, client_id=client.client_id)
    if row is None or row.shown != _look(client):
        return Permission()
    return Permission(row.scopes, row.resources)


def prime(db: Transaction, user_id: str, client_id: str, values: Sequence[Any] | None) -> None:
    """Spare `find` its read, once: another statement has read `COLUMNS`, or found nothing."""
    db.prime(_FIND, values, user_id=user_id, client_id=client_id)


def remember(
    db: Transaction, user_id: str, client: Client, permission: Permission, now: datetime
) -> Permission:
    """Add to what is allowed, and return what was allowed before.

    If the client has changed its name or its hosts since then, that is dropped. Raises
    `ConflictError` if the consent is being withdrawn at this moment: the request runs again and
    gives it anew.
    """
    client_id, shown = client.client_id, _look(client)
    values = {"shown": shown, "granted_at": now}
    inserted = db.run(
        _REMEMBER_FIRST,
        user_id=user_id,
        client_id=client_id,
        scopes=permission.scopes,
        resources=permission.resources,
        **values,
    )
    if inserted:
        return Permission()
    row = db.first(_LOCK, user_id=user_id, client_id=client_id)
    if row is None:
        raise ConflictError("the consent was withdrawn")
    before = Permission(row.scopes, row.resources) if row.shown == shown else Permission()
    allowed = permission | before
    db.later(
        _WIDEN,
        of_user=user_id,
        of_client=client_id,
        scopes=allowed.scopes,
        resources=allowed.resources,
        **values,
    )
    return before


def _look(client: Client) -> str:
    """A digest of what people recognise the client by on the consent page: its name and hosts."""
    metadata = client.metadata
    places = sorted({_place(uri) for uri in metadata.redirect_uris})
    return hashlib.sha256("\n".join([metadata.client_name, *places]).encode()).hexdigest()


def _place(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    return parts.netloc or parts.scheme


def forget_client(db: Transaction, client_id: str) -> None:
    """Delete all consents to this client."""
    db.later(_FORGET_CLIENT, client_id=client_id)


def withdraw(db: Transaction, user_id: str, client_id: str) -> bool:
    """Delete the consent of this person to this client; False if there is none.

    It is a part of `endings.withdraw_client`, which revokes the grants too.
    """
    return db.run(_WITHDRAW, user_id=user_id, client_id=client_id) == 1


def withdraw_newer(db: Transaction, user_id: str, since: datetime) -> None:
    """Delete consents since an intruder was in. It is a part of `endings`."""
    db.later(_WITHDRAW_NEWER, of_user=user_id, since=since)


def permissions_of(db: Transaction, user_id: str) -> list[tuple[str, Permission, datetime]]:
    """The consents of this person: client, permission, and when it was asked for last."""
    return [
        (row.client_id, Permission(row.scopes, row.resources), row.granted_at)
        for row in db.all(_LIST_ALL, user_id=user_id)
    ]
