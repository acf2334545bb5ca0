"""Authorization requests in flight: stored only while a person is interrupted by a page."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text, bindparam, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    Document,
    DomainError,
    Identifier,
    Instant,
    new_id,
    parse_id,
    table_of,
)
from oidc_server.domain.claims import scopes_behind
from oidc_server.security import opaque_tokens


class StoredAuthorizationRequest(Base):
    """A validated request that waits for its person; bound to the browser it came from."""

    __tablename__ = "authorization_requests"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    client_id: Mapped[str] = mapped_column(Text, ForeignKey("clients.client_id"))
    browser_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    parameters: Mapped[dict[str, Any]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    selected_by: Mapped[str | None] = mapped_column(Identifier)
    consented_by: Mapped[str | None] = mapped_column(Identifier)
    completed_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asks for (Core §3.1.2.1), validated. `id` is None until it is stored."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    created_at: datetime
    response_mode: str = "query"
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    resources: tuple[str, ...] = ()
    login_hint: str | None = None
    acr_values: tuple[str, ...] = ()
    claims: dict[str, Any] | None = None
    """The `claims` parameter (Core §5.5), validated."""
    dpop_jkt: str | None = None
    """Thumbprint of the DPoP key that must redeem the code (RFC 9449 §10)."""
    expected_user_id: str | None = None
    """The only person this may be answered for (`id_token_hint`, or `claims` with a `sub`)."""
    ui_locales: str | None = None
    display: str | None = None
    id: str | None = None
    selected_by: str | None = None
    """The user who said on the page of accounts that this is to be about them."""
    consented_by: str | None = None
    """The user who answered the consent page of this very request with yes."""

    @property
    def scopes_to_consent(self) -> frozenset[str]:
        """What the person is asked about: claims asked for one by one count as their scope."""
        return self.scopes | scopes_behind(self.claims)

    def wants_fresh_login(self, auth_time: datetime) -> bool:
        """Whether a sign-in at `auth_time` is too old for this request (Core §3.1.2.1)."""
        if self.prompt & {"login", "create"} and not self.was_login_for_this(auth_time):
            return True
        if self.max_age is None:
            return False
        return auth_time < self.created_at - timedelta(seconds=self.max_age)

    def was_login_for_this(self, auth_time: datetime) -> bool:
        """Whether the person signed in since this request came."""
        return auth_time >= self.created_at

    @property
    def required_acrs(self) -> frozenset[str] | None:
        """The `acr` values of which the sign-in must have one (Core §5.5.1.1), None for any."""
        asked = ((self.claims or {}).get("id_token") or {}).get("acr") or {}
        values = asked.get("values") or ([asked["value"]] if "value" in asked else [])
        return frozenset(values) if asked.get("essential") and values else None


class RequestGoneError(DomainError):
    """The request is unknown, expired, finished, or belongs to another browser."""


_requests = table_of(StoredAuthorizationRequest)
_INSERT = Statement(
    insert(_requests).values({column.name: bindparam(column.name) for column in _requests.columns})
)
_FIND = Statement(
    select(
        _requests.c.id,
        _requests.c.parameters,
        _requests.c.created_at,
        _requests.c.selected_by,
        _requests.c.consented_by,
    ).where(
        _requests.c.id == bindparam("request_id"),
        _requests.c.browser_digest == bindparam("browser"),
        _requests.c.expires_at > bindparam("now"),
        _requests.c.completed_at.is_(None),
    )
)
_ADOPT = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.browser_digest.is_(None))
    .values(browser_digest=bindparam("digest"))
)
_CONSENT = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.completed_at.is_(None))
    .values(consented_by=bindparam("user_id"))
)
_SELECT_ACCOUNT = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.completed_at.is_(None))
    .values(selected_by=bindparam("user_id"))
)
_COMPLETE = Statement(
    update(_requests)
    .where(_requests.c.id == bindparam("request_id"), _requests.c.completed_at.is_(None))
    .values(completed_at=bindparam("now"))
)
_PRUNE = Statement(
    delete(_requests).where(
        _requests.c.id.in_(
            select(_requests.c.id)
            .where(_requests.c.expires_at < bindparam("now"))
            .limit(bindparam("batch"))
        )
    )
)


def store(
    db: Transaction, request: AuthorizationRequest, browser: str | None, *, lifetime: timedelta
) -> AuthorizationRequest:
    """Keep a request while its person signs in or decides; returns it with its id.

    Without a browser it waits for the first one that resumes it.
    """
    stored = replace(request, id=new_id(request.created_at))
    db.run(
        _INSERT,
        id=stored.id,
        client_id=stored.client_id,
        browser_digest=None if browser is None else opaque_tokens.digest(browser),
        parameters=_to_document(stored),
        created_at=stored.created_at,
        expires_at=stored.created_at + lifetime,
        selected_by=None,
        consented_by=None,
        completed_at=None,
    )
    return stored


def find(
    db: Transaction, request_id: str, browser: str, now: datetime
) -> AuthorizationRequest | None:
    """The open request; None when unknown, expired, completed or of another browser."""
    parsed = parse_id(request_id)
    if parsed is None:
        return None
    row = db.first(_FIND, request_id=parsed, browser=opaque_tokens.digest(browser), now=now)
    return _from_row(row) if row else None


def adopt(
    db: Transaction, request_id: str, browser: str, now: datetime
) -> AuthorizationRequest | None:
    """Like `find`; a request that waits for a browser belongs to this one from now on."""
    parsed = parse_id(request_id)
    if parsed is None:
        return None
    db.run(_ADOPT, request_id=parsed, digest=opaque_tokens.digest(browser))
    return find(db, parsed, browser, now)


def consent(db: Transaction, request_id: str, user_id: str) -> None:
    """Note that this user answered the consent page of this request with yes."""
    db.run(_CONSENT, request_id=request_id, user_id=user_id)


def select_account(db: Transaction, request_id: str, user_id: str) -> None:
    """Note that this user answered the page of accounts of this request with "that is me"."""
    db.run(_SELECT_ACCOUNT, request_id=request_id, user_id=user_id)


def complete(db: Transaction, request_id: str, now: datetime) -> bool:
    """Close a request; False when it was closed before, so that one request makes one answer."""
    return db.run(_COMPLETE, request_id=request_id, now=now) == 1


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete requests that have expired; returns how many rows went."""
    return db.run(_PRUNE, now=now, batch=limit)


_NOT_PARAMETERS = ("id", "selected_by", "consented_by", "created_at")


def _to_document(request: AuthorizationRequest) -> dict[str, Any]:
    document = asdict(request)
    for name in _NOT_PARAMETERS:
        del document[name]
    document["scopes"] = sorted(request.scopes)
    document["prompt"] = sorted(request.prompt)
    document["resources"] = list(request.resources)
    document["acr_values"] = list(request.acr_values)
    return document


def _from_row(row: Any) -> AuthorizationRequest:
    values = dict(row.parameters)
    return AuthorizationRequest(
        **{
            **values,
            "scopes": frozenset(values["scopes"]),
            "prompt": frozenset(values["prompt"]),
            "resources": tuple(values["resources"]),
            "acr_values": tuple(values["acr_values"]),
        },
        created_at=row.created_at,
        id=row.id,
        selected_by=row.selected_by,
        consented_by=row.consented_by,
    )
