"""One protocol exchange: what grants and the token writer need of a request."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from oidc_server.database import Transaction
from oidc_server.domain import audit
from oidc_server.domain.audit import Event, Origin
from oidc_server.domain.clients import Client
from oidc_server.domain.signing_keys import KeyRing
from oidc_server.oauth2.access_tokens import AccessTokenReader
from oidc_server.oauth2.authlib import InvalidRequestError
from oidc_server.oauth2.client_keys import ClientKeyStore
from oidc_server.oauth2.dpop import SentProof
from oidc_server.security.encryption import Vault


class Lifetimes(Protocol):
    """The lifetimes of tokens, as the settings hold them."""

    @property
    def access_token_lifetime(self) -> timedelta: ...
    @property
    def id_token_lifetime(self) -> timedelta: ...
    @property
    def refresh_token_idle_lifetime(self) -> timedelta: ...
    @property
    def refresh_token_absolute_lifetime(self) -> timedelta: ...
    @property
    def refresh_token_grace(self) -> timedelta: ...


class PasswordProof(Protocol):
    """What was found out about a user name and password before the transaction."""

    @property
    def user_id(self) -> str | None: ...
    @property
    def holds(self) -> bool: ...
    @property
    def reason(self) -> str | None: ...


class Exchange(NamedTuple):
    """A request to a protocol endpoint. `form` holds body parameters only, each sent once.

    A tuple, like others that each request creates: a frozen dataclass takes longer to create.
    """

    db: Transaction
    now: datetime
    origin: Origin
    issuer: str
    keys: KeyRing
    tokens: AccessTokenReader
    client_keys: ClientKeyStore
    vault: Vault
    lifetimes: Lifetimes
    refresh_keys: tuple[bytes, ...]
    authorization: tuple[str, ...]
    form: Mapping[str, str]
    dpop: SentProof
    admit: Callable[[Client], None]
    """Counts a request of a client that has proved who it is; raises what ends the request."""
    resources: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    password_proof: PasswordProof | None = None
    dpop_jkt: str | None = None
    """The key that the client has proved to hold (RFC 9449 §5): what it gets is bound to it."""

    def required(self, name: str) -> str:
        """A body parameter that must be there; raises `InvalidRequestError`."""
        value = self.form.get(name)
        if value is None:
            raise InvalidRequestError(f"The parameter {name} is missing.")
        return value

    def record(self, event: Event, **facts: Any) -> None:
        """Write down in the audit log what this request did; the facts are those of `audit`."""
        audit.record(self.db, event, origin=self.origin, now=self.now, **facts)
