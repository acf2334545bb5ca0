"""Resource servers: audiences of access tokens (RFC 8707), with their scopes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Boolean, ForeignKey, Text, bindparam, false, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain import clients
from oidc_server.domain.base import Base, DomainError, Instant, Words, table_of
from oidc_server.domain.client_metadata import is_scope


class ResourceRow(Base):
    """A resource server, named by its resource indicator."""

    __tablename__ = "resources"

    identifier: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[frozenset[str]] = mapped_column(Words)
    client_id: Mapped[str | None] = mapped_column(Text, ForeignKey("clients.client_id"))
    wants_roles: Mapped[bool] = mapped_column(Boolean, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource server and the scopes it understands."""

    identifier: str
    name: str
    scopes: frozenset[str]
    client_id: str | None
    """The client that serves it: it may introspect tokens that are meant for this resource."""
    wants_roles: bool = False
    """Whether its tokens say which roles a person has."""


class InvalidResourceError(DomainError):
    """The identifier or a scope does not fit, or the resource exists already."""


_resources = table_of(ResourceRow)
_resource = select(
    _resources.c.identifier,
    _resources.c.name,
    _resources.c.scopes,
    _resources.c.client_id,
    _resources.c.wants_roles,
)
_FIND = Statement(_resource.where(_resources.c.identifier == bindparam("identifier")))
_ALL = Statement(_resource.order_by(_resources.c.identifier))


def find(db: Transaction, identifier: str) -> Resource | None:
    row = db.first(_FIND, identifier=identifier)
    return Resource(*row) if row else None


def serves(db: Transaction, client_id: str, audiences: Iterable[str]) -> bool:
    """Whether this client is the resource server of one of these audiences."""
    return any(
        resource.client_id == client_id
        for audience in audiences
        if (resource := find(db, audience)) is not None
    )


def list_resources(db: Transaction) -> list[Resource]:
    return [Resource(*row) for row in db.all(_ALL)]


def create(
    db: Transaction,
    *,
    identifier: str,
    name: str,
    scopes: frozenset[str],
    now: datetime,
    client_id: str | None = None,
    wants_roles: bool = False,
) -> Resource:
    """Register a resource server, served by `client_id`; raises `InvalidResourceError`."""
    if not _is_resource_indicator(identifier):
        raise InvalidResourceError(
            f"{identifier} must be an absolute URI without a fragment (RFC 8707 §2)."
        )
    for scope in scopes:
        if not is_scope(scope):
            raise InvalidResourceError(f"{scope} is not a scope (RFC 6749 §3.3).")
    if client_id is not None and clients.load(db, client_id).is_public:
        raise InvalidResourceError(f"Client {client_id} has no secret to introspect tokens with.")
    row = ResourceRow(
        identifier=identifier,
        name=name or identifier,
        scopes=scopes,
        client_id=client_id,
        wants_roles=wants_roles,
        created_at=now,
    )
    try:
        with db.savepoint():
            db.session.add(row)
    except IntegrityError:
        raise InvalidResourceError(f"The resource {identifier} exists already.") from None
    return Resource(row.identifier, row.name, row.scopes, row.client_id, row.wants_roles)


def _is_resource_indicator(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and "#" not in text
