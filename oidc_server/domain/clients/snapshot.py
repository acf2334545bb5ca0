"""One revision of a client, as requests work with it."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from oidc_server.domain.base import DomainError
from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.security import opaque_tokens
from oidc_server.security.encryption import UnsealError, Vault

SECRET = "client-secret"
"""What secrets are sealed as."""


@dataclass(frozen=True, slots=True)
class Client:
    """One revision of a client, parsed once and shared by requests."""

    client_id: str
    revision: int
    type: ClientType
    metadata: ClientMetadata
    secrets: tuple[tuple[bytes, datetime | None], ...]
    created_at: datetime
    disabled_at: datetime | None
    tokens_not_before: datetime | None
    sealed_secrets: tuple[tuple[str, bytes, datetime | None], ...] = ()
    """Id of the row, what is sealed, and the end: for `client_secret_jwt` only."""
    self_registered: bool = False
    """Nobody but itself says who it is (RFC 7591 §5)."""
    newest_secret_at: datetime | None = None
    """When the last of its secrets was made; None if it has none."""

    @property
    def is_public(self) -> bool:
        return self.metadata.token_endpoint_auth_method == "none"

    @property
    def must_prove_key(self) -> bool:
        """Whether every access token of it is bound to a key (RFC 9449 §5.2)."""
        return self.metadata.dpop_bound_access_tokens or self.metadata.profile == "fapi2"

    def allows_grant(self, grant_type: str) -> bool:
        return grant_type in self.metadata.grant_types

    def narrow(self, scopes: Iterable[str]) -> frozenset[str]:
        """Those of the asked scopes that this client may have."""
        return self.metadata.scopes.intersection(scopes)

    def knows_secret(self, secret: str, now: datetime) -> bool:
        """Whether this is one of the live secrets; every one is compared, in constant time."""
        digest = opaque_tokens.digest(secret)
        found = False
        for known, expires_at in self.secrets:
            alive = expires_at is None or expires_at > now
            found |= opaque_tokens.constant_time_equal(known, digest) and alive
        return found

    def open_secrets(self, vault: Vault, now: datetime) -> list[bytes]:
        """The live secrets of a client that signs with them (Core §10.1).

        One that was sealed with a secret of ours that is gone is gone too.
        """
        opened = []
        for row_id, sealed, expires_at in self.sealed_secrets:
            if expires_at is None or expires_at > now:
                with suppress(UnsealError):
                    opened.append(vault.open(SECRET, sealed, row_id.encode("ascii")))
        return opened


class UnknownClientError(DomainError):
    """No client has this id."""
