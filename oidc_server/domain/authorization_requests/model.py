"""What a client asks for, and how it is kept while a person is interrupted by a page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.domain.base import Base, Document, DomainError, Identifier, Instant
from oidc_server.domain.claims import scopes_behind


class StoredAuthorizationRequest(Base):
    """A validated request that waits for its person; bound to the browser it came from.

    One that was pushed waits for a browser first, and is known by its `request_uri` till then.
    """

    __tablename__ = "authorization_requests"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    request_uri_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    request_uri_expires_at: Mapped[datetime | None] = mapped_column(Instant)
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
    """The user who confirmed on the account selection page to go on with this account."""
    consented_by: str | None = None
    """The user who allowed this request on its consent page."""

    @property
    def scopes_to_consent(self) -> frozenset[str]:
        """The scopes to consent to, with those of claims that are asked for singly."""
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
    def asked_acrs(self) -> tuple[str, ...]:
        """The `acr` values that the client asks for, in order of preference (Core §5.5.1.1).

        The `claims` parameter takes precedence over `acr_values`.
        """
        asked = self._acr_claim
        values = asked.get("values") or ([asked["value"]] if "value" in asked else [])
        return tuple(values) or self.acr_values

    @property
    def insists_on_acr(self) -> bool:
        """Whether one of them is required: an essential claim with values (Core §5.5.1)."""
        return bool(self._acr_claim.get("essential")) and not (
            self._acr_claim.keys().isdisjoint({"value", "values"})
        )

    def wished_acr(self, reachable: Collection[str]) -> str | None:
        """The most preferred of the `acr` values that are reachable; None if none is."""
        return next((acr for acr in self.asked_acrs if acr in reachable), None)

    @property
    def _acr_claim(self) -> dict[str, Any]:
        return ((self.claims or {}).get("id_token") or {}).get("acr") or {}


class RequestGoneError(DomainError):
    """The request is unknown, expired, finished, or belongs to another browser."""
