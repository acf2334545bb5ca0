"""Resource servers: audiences of access tokens (RFC 8707), with their scopes."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Boolean, ForeignKey, Text, bindparam, delete, false, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain import clients
from oidc_server.domain.base import (
    Base,
    DomainError,
    FieldError,
    Instant,
    WordSet,
    seen,
    table_of,
    unchanged,
)
from oidc_server.domain.client_metadata import STANDARD_SCOPES, is_scope


class ResourceRow(Base):
    """A resource server, named by its resource indicator."""

    __tablename__ = "resources"

    identifier: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[frozenset[str]] = mapped_column(WordSet)
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
    wants_roles: bool
    """Whether its tokens say which roles a person has."""
    created_at: datetime


class InvalidResourceError(FieldError):
    """`field` of a resource server cannot be what it shall be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class ResourceTakenError(DomainError):
    """There is a resource server of this identifier."""


class UnknownResourceError(DomainError):
    """There is no resource server of this identifier."""


_resources = table_of(ResourceRow)
_resource = select(
    _resources.c.identifier,
    _resources.c.name,
    _resources.c.scopes,
    _resources.c.client_id,
    _resources.c.wants_roles,
    _resources.c.created_at,
)
_FIND = Statement(_resource.where(_resources.c.identifier == bindparam("identifier")))
_ALL = Statement(_resource.order_by(_resources.c.identifier))
_PAGE = Statement(
    _resource.where(_resources.c.identifier > bindparam("after"))
    .order_by(_resources.c.identifier)
    .limit(bindparam("how_many"))
)
_CHANGEABLE = ("name", "scopes", "client_id", "wants_roles")
_CHANGE = Statement(
    update(_resources)
    .where(_resources.c.identifier == bindparam("of_resource"), unchanged(_resources, _CHANGEABLE))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)
_DELETE = Statement(
    delete(_resources).where(
        _resources.c.identifier == bindparam("of_resource"), unchanged(_resources, _CHANGEABLE)
    )
)


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


def serves_any(db: Transaction, client_id: str) -> bool:
    """Whether this client is a resource server at all."""
    return any(resource.client_id == client_id for resource in list_resources(db))


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
    """Register a resource server, served by `client_id`.

    Raises `InvalidResourceError`, `ResourceTakenError`, `UnknownClientError`.
    """
    if not _is_resource_indicator(identifier):
        raise InvalidResourceError(
            "identifier", f"{identifier} must be an absolute URI without a fragment (RFC 8707 §2)."
        )
    _check(db, scopes, client_id)
    made = Resource(identifier, name or identifier, scopes, client_id, wants_roles, now)
    try:
        with db.savepoint():
            db.session.add(ResourceRow(**asdict(made)))
    except IntegrityError:
        raise ResourceTakenError(f"The resource {identifier} exists already.") from None
    return made


def get(db: Transaction, identifier: str) -> Resource:
    """The resource server; raises `UnknownResourceError`."""
    found = find(db, identifier)
    if found is None:
        raise UnknownResourceError(f"There is no resource {identifier}.")
    return found


def page(db: Transaction, *, limit: int, after: str = "") -> list[Resource]:
    """At most `limit` resource servers whose identifiers come after one, in their order."""
    return [Resource(*row) for row in db.all(_PAGE, after=after, how_many=limit)]


def change(
    db: Transaction,
    resource: Resource,
    *,
    name: str,
    scopes: frozenset[str],
    client_id: str | None,
    wants_roles: bool,
) -> Resource:
    """Describe it anew; raises `InvalidResourceError`, `UnknownClientError`.

    Scopes that are gone are in no new token; those in tokens that there are live with them. Raises
    `ConflictError` if it is not the resource any more that was read: else its change is undone.
    """
    _check(db, scopes, client_id)
    changed = replace(
        resource,
        name=name or resource.identifier,
        scopes=scopes,
        client_id=client_id,
        wants_roles=wants_roles,
    )
    values = {name: getattr(changed, name) for name in _CHANGEABLE}
    values |= seen(resource, _CHANGEABLE)
    if not db.run(_CHANGE, of_resource=resource.identifier, **values):
        raise ConflictError("the resource has changed")
    return changed


def remove(db: Transaction, resource: Resource) -> None:
    """Forget it: no token can be asked for it from here on.

    Raises `ConflictError` if it is not the resource any more that was read: what guards it now may
    hold back whoever forgets it.
    """
    if not db.run(_DELETE, of_resource=resource.identifier, **seen(resource, _CHANGEABLE)):
        raise ConflictError("the resource has changed")


def _check(db: Transaction, scopes: frozenset[str], client_id: str | None) -> None:
    for scope in scopes:
        if not is_scope(scope):
            raise InvalidResourceError("scopes", f"{scope} is not a scope (RFC 6749 §3.3).")
        if scope in STANDARD_SCOPES:
            meant = "has another meaning here, and any client may ask for it."
            raise InvalidResourceError("scopes", f"{scope} {meant}")
    if client_id is not None and clients.load(db, client_id).is_public:
        raise InvalidResourceError(
            "client_id", f"Client {client_id} has no secret to introspect tokens with."
        )


def _is_resource_indicator(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and "#" not in text
