"""Issuers whose assertions about our users we believe (RFC 7523 §2.1), as the operator named them.

Whoever holds their key can speak for every user here, to clients registered for the grant.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Text, bindparam, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    DomainError,
    Instant,
    OptionalDocument,
    insert_all,
    table_of,
)
from oidc_server.security.jose import ClientKeys

SubjectKind = Literal["sub", "email"]
"""What `sub` of an assertion is: our `sub` of a user, or a verified e-mail address."""


class TrustedIssuerRow(Base):
    """An issuer, with its keys or where it publishes them."""

    __tablename__ = "trusted_issuers"

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    jwks: Mapped[dict[str, Any] | None] = mapped_column(OptionalDocument)
    jwks_uri: Mapped[str | None] = mapped_column(Text)
    audience: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """`audience` is a further name that it may call us by."""

    issuer: str
    jwks: dict[str, Any] | None
    jwks_uri: str | None
    audience: str | None
    subject: SubjectKind
    created_at: datetime


class InvalidIssuerError(DomainError):
    """The issuer is named already, is not known, or its keys do not fit."""


_issuers = table_of(TrustedIssuerRow)
_ALL_COLUMNS = [_issuers.c[name] for name in TrustedIssuer.__dataclass_fields__]
_FIND = Statement(select(*_ALL_COLUMNS).where(_issuers.c.issuer == bindparam("of_issuer")))
_ALL = Statement(select(*_ALL_COLUMNS).order_by(_issuers.c.issuer))
_INSERT = Statement(insert_all(_issuers).on_conflict_do_nothing())
_REMOVE = Statement(delete(_issuers).where(_issuers.c.issuer == bindparam("of_issuer")))


def find(db: Transaction, issuer: str) -> TrustedIssuer | None:
    row = db.first(_FIND, of_issuer=issuer)
    return TrustedIssuer(*row) if row else None


def list_issuers(db: Transaction) -> list[TrustedIssuer]:
    return [TrustedIssuer(*row) for row in db.all(_ALL)]


def add(
    db: Transaction,
    *,
    issuer: str,
    jwks: dict[str, Any] | None,
    jwks_uri: str | None,
    audience: str | None,
    subject: str,
    now: datetime,
) -> TrustedIssuer:
    """Trust an issuer from now on; raises `InvalidIssuerError`."""
    if not issuer or not issuer.isprintable():
        raise InvalidIssuerError("The issuer is the iss of its assertions, as it stands there.")
    if (jwks is None) == (jwks_uri is None):
        raise InvalidIssuerError("Give either the keys of the issuer or its jwks_uri.")
    if jwks_uri is not None and not jwks_uri.startswith("https://"):
        raise InvalidIssuerError("The jwks_uri must begin with https://.")
    if subject not in get_args(SubjectKind):
        raise InvalidIssuerError("The subject is sub or email.")
    if jwks is not None:
        _check_keys(jwks)
    is_new = db.run(
        _INSERT,
        issuer=issuer,
        jwks=jwks,
        jwks_uri=jwks_uri,
        audience=audience,
        subject=subject,
        created_at=now,
    )
    if not is_new:
        raise InvalidIssuerError(f"{issuer} is trusted already.")
    added = find(db, issuer)
    assert added is not None  # noqa: S101 - the row of this transaction
    return added


def remove(db: Transaction, issuer: str) -> None:
    """Trust an issuer no more; raises `InvalidIssuerError`. What it has obtained goes on."""
    if not db.run(_REMOVE, of_issuer=issuer):
        raise InvalidIssuerError(f"{issuer} is not trusted.")


def _check_keys(jwks: dict[str, Any]) -> None:
    try:
        usable = len(ClientKeys(jwks))
    except ValueError as error:
        raise InvalidIssuerError(f"The keys do not fit: {error}.") from None
    if not usable:
        raise InvalidIssuerError("The key set holds no key that we can use.")
