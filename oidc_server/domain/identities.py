"""What people have at other providers and sign in with: known by issuer and `sub`, by nothing else.

An e-mail address is never a reason to take one person for another (Core §5.7): the same address may
belong to somebody else tomorrow, and some providers let anybody claim one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain.base import (
    Base,
    DomainError,
    Identifier,
    Instant,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.domain.identity_providers import IdentityProvider, IdentityProviderRow


class IdentityRow(Base):
    """An account elsewhere that opens one here. A provider is one issuer for good.

    `account` is what the account is called there, for its owner to know it by.
    """

    __tablename__ = "identities"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[str] = mapped_column(Identifier, ForeignKey("users.id"), index=True)
    provider_id: Mapped[str] = mapped_column(Identifier, ForeignKey("identity_providers.id"))
    sub: Mapped[str] = mapped_column(Text)
    account: Mapped[str | None] = mapped_column(Text)
    linked_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("provider_id", "sub"),)


@dataclass(frozen=True, slots=True)
class Identity:
    """A linked account, with the provider that it is at."""

    id: str
    user_id: str
    sub: str
    account: str | None
    linked_at: datetime
    last_used_at: datetime | None
    provider: str
    label: str
    is_usable: bool
    """Whether its provider signs anybody in at the moment."""


class IdentityTakenError(DomainError):
    """Somebody else signs in with this account of the provider."""


_identities = table_of(IdentityRow)
_providers = table_of(IdentityProviderRow)
_SHOWN = (
    _identities.c.id,
    _identities.c.user_id,
    _identities.c.sub,
    _identities.c.account,
    _identities.c.linked_at,
    _identities.c.last_used_at,
    _providers.c.name,
    _providers.c.label,
    _providers.c.disabled_at.is_(None),
)
_from = _identities.join(_providers, _providers.c.id == _identities.c.provider_id)
_INSERT = Statement(
    insert(_identities)
    .from_select(
        [column.name for column in _identities.columns],
        select(*[bindparam(column.name, type_=column.type) for column in _identities.columns])
        .where(_providers.c.id == bindparam("provider_id"))
        .with_for_update(read=True),  # whoever removes the provider comes after, and removes this
    )
    .on_conflict_do_nothing(index_elements=[_identities.c.provider_id, _identities.c.sub])
)
_FIND = Statement(
    select(*_SHOWN)
    .select_from(_from)
    .where(_identities.c.provider_id == bindparam("at"), _identities.c.sub == bindparam("of_sub"))
)
_OF_USER = Statement(
    select(*_SHOWN)
    .select_from(_from)
    .where(_identities.c.user_id == bindparam("of_user"))
    .order_by(_identities.c.linked_at, _identities.c.id)
)
_COUNT = Statement(
    select(func.count())
    .select_from(_identities)
    .where(_identities.c.provider_id == bindparam("at"))
)
_USE = Statement(
    update(_identities)
    .where(_identities.c.id == bindparam("identity_id"))
    .values(last_used_at=bindparam("now", type_=Instant), account=bindparam("called"))
)
_REMOVE = Statement(
    delete(_identities).where(
        _identities.c.id == bindparam("identity_id"), _identities.c.user_id == bindparam("of_user")
    )
)
_REMOVE_NEWER = Statement(
    delete(_identities).where(
        _identities.c.user_id == bindparam("of_user"),
        _identities.c.linked_at >= bindparam("since", type_=Instant),
    )
)
_OWNERS = Statement(
    select(_identities.c.user_id).where(_identities.c.provider_id == bindparam("at")).distinct()
)
_REMOVE_ALL = Statement(delete(_identities).where(_identities.c.provider_id == bindparam("at")))


def find(db: Transaction, provider_id: str, sub: str) -> Identity | None:
    """Whose this account of a provider is, if it is anybody's here."""
    row = db.first(_FIND, at=provider_id, of_sub=sub)
    return Identity(*row) if row else None


def list_of_user(db: Transaction, user_id: str) -> list[Identity]:
    """What a person has linked, the oldest first."""
    return [Identity(*row) for row in db.all(_OF_USER, of_user=user_id)]


def find_of_user(db: Transaction, user_id: str, identity_id: str) -> Identity | None:
    """One of them; None for those of others too."""
    wanted = parse_id(identity_id)
    return next((one for one in list_of_user(db, user_id) if one.id == wanted), None)


def link(
    db: Transaction,
    user_id: str,
    provider: IdentityProvider,
    sub: str,
    account: str | None,
    now: datetime,
) -> bool:
    """Let an account elsewhere open this one; False if it does already.

    Whoever calls has proof of both. Raises `IdentityTakenError`: the unique index decides. Raises
    `ConflictError` if the provider was removed meanwhile, or it was just being unlinked.
    """
    inserted = db.run(
        _INSERT,
        id=new_id(now),
        user_id=user_id,
        provider_id=provider.id,
        sub=sub,
        account=account,
        linked_at=now,
        last_used_at=None,
    )
    if inserted:
        return True
    owner = find(db, provider.id, sub)
    if owner is None:
        raise ConflictError("the provider was removed, or the account unlinked")
    if owner.user_id != user_id:
        raise IdentityTakenError(f"Somebody else signs in with this account at {provider.label}.")
    return False


def use(db: Transaction, identity: Identity, account: str | None, now: datetime) -> None:
    """Note that somebody signs in with it, and what it is called by now.

    Raises `ConflictError` if it was unlinked meanwhile, so that the request runs again without it.
    """
    called = account or identity.account
    if not db.run(_USE, identity_id=identity.id, called=called, now=now):
        raise ConflictError("the account elsewhere was unlinked")


def delete_row(db: Transaction, user_id: str, identity_id: str) -> bool:
    """Forget a link. It is a part of `ways_in.remove_identity`."""
    return db.run(_REMOVE, identity_id=identity_id, of_user=user_id) == 1


def delete_newer(db: Transaction, user_id: str, since: datetime) -> None:
    """Forget what was linked since somebody else was in. It is a part of `endings`."""
    db.later(_REMOVE_NEWER, of_user=user_id, since=since)


def count_at(db: Transaction, provider_id: str) -> int:
    """How many links there are to a provider."""
    row = db.first(_COUNT, at=provider_id)
    return int(row[0]) if row else 0


def delete_all_at(db: Transaction, provider_id: str) -> list[str]:
    """Forget every link to a provider; returns whose they were. It is a part of `endings`."""
    owners = [row[0] for row in db.all(_OWNERS, at=provider_id)]
    db.later(_REMOVE_ALL, at=provider_id)
    return owners
