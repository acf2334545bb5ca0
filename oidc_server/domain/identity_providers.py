"""Other providers that people may sign in with, as the operator named them (OpenID Connect Core).

One provider stands for one issuer, for good: what people have there is known by issuer and `sub`.
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Boolean, LargeBinary, Text, bindparam, delete, null, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain.base import (
    Base,
    DomainError,
    Identifier,
    Instant,
    insert_all,
    new_id,
    seen,
    table_of,
    unchanged,
)
from oidc_server.security.encryption import Vault

AuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]
"""How we prove ourselves at the token endpoint of a provider."""

DEFAULT_SCOPE = "openid profile email"
_PURPOSE = "provider-secret"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_ISSUER = re.compile(r"https?://[!-~]{1,500}", re.ASCII)
_VISIBLE = re.compile(r"[!-~]{1,500}", re.ASCII)
_SCOPES = re.compile(r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*", re.ASCII)
_LONGEST_LABEL = 40
_OURS = frozenset({"new", "connect"})
"""Names that our own addresses have in the place of a provider."""


class IdentityProviderRow(Base):
    """A provider. `name` stands in our addresses, `label` on buttons."""

    __tablename__ = "identity_providers"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    label: Mapped[str] = mapped_column(Text)
    issuer: Mapped[str] = mapped_column(Text, unique=True)
    client_id: Mapped[str] = mapped_column(Text)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    token_endpoint_auth_method: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    trusts_email: Mapped[bool] = mapped_column(Boolean)
    sign_up: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Description:
    """What an operator says of a provider, and may change.

    `trusts_email`: an address that it calls verified is so here. `sign_up`: it may bring people who
    have no account yet.
    """

    label: str
    client_id: str
    token_endpoint_auth_method: str = "client_secret_basic"
    scope: str = DEFAULT_SCOPE
    trusts_email: bool = False
    sign_up: bool = True


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """A provider as it is read; for what its members mean see `Description`."""

    id: str
    name: str
    label: str
    issuer: str
    client_id: str
    sealed_secret: bytes | None
    token_endpoint_auth_method: str
    scope: str
    trusts_email: bool
    sign_up: bool
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None


class InvalidProviderError(DomainError):
    """The provider is there already, is not known, or what is said of it does not fit."""


_providers = table_of(IdentityProviderRow)
_ALL_COLUMNS = [_providers.c[name] for name in IdentityProvider.__dataclass_fields__]
_BY_NAME = Statement(select(*_ALL_COLUMNS).where(_providers.c.name == bindparam("of_name")))
_BY_ID = Statement(select(*_ALL_COLUMNS).where(_providers.c.id == bindparam("provider_id")))
_BY_ISSUER = Statement(select(*_ALL_COLUMNS).where(_providers.c.issuer == bindparam("of_issuer")))
_ALL = Statement(select(*_ALL_COLUMNS).order_by(_providers.c.created_at, _providers.c.id))
_ENABLED = Statement(
    select(*_ALL_COLUMNS)
    .where(_providers.c.disabled_at.is_(None))
    .order_by(_providers.c.created_at, _providers.c.id)
)
_INSERT = Statement(insert_all(_providers).on_conflict_do_nothing())
_DESCRIBED = (*Description.__dataclass_fields__, "sealed_secret")
_DESCRIBE = Statement(
    update(_providers)
    .where(_providers.c.id == bindparam("provider_id"), unchanged(_providers, _DESCRIBED))
    .values({name: bindparam(name) for name in (*_DESCRIBED, "updated_at")})
)
_DISABLE = Statement(
    update(_providers)
    .where(_providers.c.id == bindparam("provider_id"), _providers.c.disabled_at.is_(None))
    .values(disabled_at=bindparam("now"), updated_at=bindparam("now"))
)
_ENABLE = Statement(
    update(_providers)
    .where(_providers.c.id == bindparam("provider_id"), _providers.c.disabled_at.is_not(None))
    .values(disabled_at=null(), updated_at=bindparam("now"))
)
_REMOVE = Statement(delete(_providers).where(_providers.c.id == bindparam("provider_id")))


def find(db: Transaction, name: str) -> IdentityProvider | None:
    """The provider of this name, disabled or not."""
    row = db.first(_BY_NAME, of_name=name)
    return IdentityProvider(*row) if row else None


def find_enabled(db: Transaction, name: str) -> IdentityProvider | None:
    """The provider of this name, if people may use it now."""
    found = find(db, name)
    return found if found is not None and found.disabled_at is None else None


def find_by_id(db: Transaction, provider_id: str) -> IdentityProvider | None:
    row = db.first(_BY_ID, provider_id=provider_id)
    return IdentityProvider(*row) if row else None


def get(db: Transaction, name: str) -> IdentityProvider:
    """The provider of this name; raises `InvalidProviderError`."""
    found = find(db, name)
    if found is None:
        raise InvalidProviderError(f"There is no provider called {name}.")
    return found


def list_providers(db: Transaction, *, enabled_only: bool = False) -> list[IdentityProvider]:
    """Every provider, the oldest first."""
    return [IdentityProvider(*row) for row in db.all(_ENABLED if enabled_only else _ALL)]


def secret_of(vault: Vault, provider: IdentityProvider) -> str | None:
    """The secret that the provider gave us, if it gave one."""
    if provider.sealed_secret is None:
        return None
    return vault.open(_PURPOSE, provider.sealed_secret, provider.id.encode()).decode()


def add(
    db: Transaction,
    vault: Vault,
    *,
    name: str,
    issuer: str,
    description: Description,
    client_secret: str | None,
    now: datetime,
) -> IdentityProvider:
    """Let people sign in with a provider from now on.

    Raises `InvalidProviderError`, and `ConflictError` if somebody else has just added it.
    """
    if not _NAME.fullmatch(name) or name in _OURS:
        raise InvalidProviderError(
            "The name has up to 40 small letters, digits and hyphens, and is not new or connect."
        )
    if not _ISSUER.fullmatch(issuer) or "?" in issuer or "#" in issuer:
        raise InvalidProviderError("The issuer is an https address without query or fragment.")
    if find(db, name) is not None:
        raise InvalidProviderError(f"There is a provider called {name} already.")
    if db.first(_BY_ISSUER, of_issuer=issuer) is not None:
        raise InvalidProviderError(f"There is a provider for {issuer} already.")
    provider_id = new_id(now)
    added = db.run(
        _INSERT,
        id=provider_id,
        name=name,
        issuer=issuer,
        sealed_secret=_sealed(vault, provider_id, client_secret),
        created_at=now,
        updated_at=now,
        disabled_at=None,
        **_checked(description, has_secret=client_secret is not None),
    )
    if not added:
        raise ConflictError("the provider was added meanwhile")
    return get(db, name)


def edit(
    db: Transaction,
    vault: Vault,
    provider: IdentityProvider,
    description: Description,
    now: datetime,
    *,
    client_secret: str | None = None,
) -> IdentityProvider:
    """Describe a provider anew, but for its name and issuer; raises `InvalidProviderError`.

    Without `client_secret` it keeps the one it has, unless its method takes none. Raises
    `ConflictError` if it is not described any more as it was read: else that is undone.
    """
    sealed = provider.sealed_secret
    if client_secret is not None:
        sealed = _sealed(vault, provider.id, client_secret)
    elif description.token_endpoint_auth_method == "none":
        sealed = None
    values = _checked(description, has_secret=sealed is not None) | {"sealed_secret": sealed}
    values |= seen(provider, _DESCRIBED)
    if not db.run(_DESCRIBE, provider_id=provider.id, updated_at=now, **values):
        raise ConflictError("the provider has changed")
    return get(db, provider.name)


def described(provider: IdentityProvider) -> Description:
    """What is said of it so far."""
    return Description(
        **{name: getattr(provider, name) for name in Description.__dataclass_fields__}
    )


def disable(db: Transaction, provider: IdentityProvider, now: datetime) -> bool:
    """Let nobody sign in with it for now; False if so already. Links of people stay."""
    return db.run(_DISABLE, provider_id=provider.id, now=now) == 1


def enable(db: Transaction, provider: IdentityProvider, now: datetime) -> bool:
    """Let people sign in with it again; False if they may."""
    return db.run(_ENABLE, provider_id=provider.id, now=now) == 1


def delete_row(db: Transaction, provider_id: str) -> None:
    """Forget a provider. It is a part of `endings.remove_provider`."""
    db.later(_REMOVE, provider_id=provider_id)


def _checked(description: Description, *, has_secret: bool) -> dict[str, Any]:
    """The values of the columns; raises `InvalidProviderError`."""
    label = " ".join(description.label.split())
    if not label or len(label) > _LONGEST_LABEL or not label.isprintable():
        raise InvalidProviderError(f"The label has 1 to {_LONGEST_LABEL} characters.")
    if not _VISIBLE.fullmatch(description.client_id):
        raise InvalidProviderError("The client_id is what the provider gave us, without spaces.")
    method, scope = description.token_endpoint_auth_method, description.scope
    if method not in get_args(AuthMethod):
        known = ", ".join(get_args(AuthMethod))
        raise InvalidProviderError(f"The authentication method is one of {known}.")
    if (method == "none") == has_secret:
        raise InvalidProviderError(
            "Give the secret of the client, or the method none if it has none."
        )
    if not _SCOPES.fullmatch(scope) or "openid" not in scope.split(" "):
        raise InvalidProviderError("The scope is words with spaces between, openid among them.")
    return {**asdict(description), "label": label}


def _sealed(vault: Vault, provider_id: str, secret: str | None) -> bytes | None:
    if secret is None:
        return None
    return vault.seal(_PURPOSE, secret.encode(), provider_id.encode())
