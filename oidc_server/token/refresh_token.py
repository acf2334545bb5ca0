"""The refresh token grant (RFC 6749 §6): rotation and replay detection (RFC 9700 §4.14.2).

A refresh token that is bound to its sender, by a key or as FAPI 2.0 has it, does not rotate.
"""

from typing import Any

from oidc_server.domain import refresh_tokens
from oidc_server.domain.audit import Event
from oidc_server.domain.clients import Client
from oidc_server.domain.refresh_tokens import Presented, Replayed
from oidc_server.oauth2.authlib import (
    InvalidGrantError,
    InvalidScopeError,
    RefreshTokenGrantBase,
)
from oidc_server.oauth2.client_authentication import AuthenticatedClient
from oidc_server.oauth2.errors import describable
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.vocabulary import GrantType
from oidc_server.token import issuing


class _Credential:
    """A refresh token as Authlib asks for it."""

    def __init__(self, presented: Presented) -> None:
        self.presented = presented

    def check_client(self, client: AuthenticatedClient) -> bool:
        return self.presented.grant.client_id == client.client.client_id

    def get_scope(self) -> str:
        return " ".join(sorted(self.presented.grant.scopes))


class RefreshTokenGrant(RefreshTokenGrantBase):
    """Refresh. The token is read first and spent only after every check that can refuse."""

    GRANT_TYPE = GrantType.REFRESH_TOKEN.value
    INCLUDE_NEW_REFRESH_TOKEN = True
    _read: Presented | None = None

    def validate_token_request(self) -> None:
        """All checks. The token is looked up first, since that tells of the client too."""
        exchange = self.server.exchange
        if (token := self.request.form.get("refresh_token")) is not None:
            self._read = refresh_tokens.find(exchange.db, token, exchange.now)
        try:
            super().validate_token_request()
        except InvalidGrantError:  # Authlib gives no reason
            reason = "The refresh token is unknown, or was given to another client."
            raise InvalidGrantError(reason) from None
        except InvalidScopeError:  # nor does it name the scope
            raise self._beyond_the_grant() from None
        presented = self.request.refresh_token.presented
        if not presented.holds(self.server.exchange.now):
            raise InvalidGrantError("The refresh token has expired or was revoked.")
        bound_to = presented.dpop_jkt
        if bound_to is not None and bound_to != self.server.exchange.dpop_jkt:
            raise InvalidGrantError("The refresh token is bound to a key that was not proved.")
        issuing.audiences_for(self.server.exchange, presented.grant.resources)

    def _beyond_the_grant(self) -> InvalidScopeError:
        granted = self._read.grant.scopes if self._read is not None else frozenset()
        beyond = sorted(set(self.server.exchange.form.get("scope", "").split()) - granted)
        return InvalidScopeError(f"The scope {describable(' '.join(beyond))} was not granted.")

    def authenticate_refresh_token(self, _token: str) -> _Credential | None:
        return _Credential(self._read) if self._read is not None else None

    def authenticate_user(self, credential: _Credential) -> str:
        return credential.presented.grant.user_id

    def generate_token(
        self, *, scope: str, user: str, include_refresh_token: bool
    ) -> dict[str, Any]:
        """Mint, then spend the token. A narrower scope leaves the grant as it was (RFC 6749 §6)."""
        del user, include_refresh_token
        exchange = self.server.exchange
        presented = self.request.refresh_token.presented
        client = self.request.client.client
        scopes = frozenset(scope.split()) or presented.grant.scopes
        body = issuing.issue(exchange, client, presented.grant, scopes, first=False)
        body["refresh_token"] = self._next_refresh_token(exchange, client, presented)
        return body

    def _next_refresh_token(self, exchange: Exchange, client: Client, presented: Presented) -> str:
        idle_lifetime = exchange.lifetimes.refresh_token_idle_lifetime
        sender_constrained = presented.dpop_jkt is not None or client.metadata.profile == "fapi2"
        if sender_constrained and refresh_tokens.extend(
            exchange.db, presented, exchange.now, idle_lifetime
        ):
            return presented.token
        outcome = refresh_tokens.rotate(
            exchange.db,
            presented,
            exchange.now,
            keys=exchange.refresh_keys,
            grace=exchange.lifetimes.refresh_token_grace,
            idle_lifetime=idle_lifetime,
            dpop_jkt=issuing.key_of_refresh_token(exchange, client),
        )
        if isinstance(outcome, Replayed):
            self._replayed(presented)
            raise InvalidGrantError("The refresh token was used before.")
        return outcome.token

    def revoke_old_credential(self, _credential: _Credential) -> None:
        """Nothing to do: it was spent before the new one was made."""

    def _replayed(self, presented: Presented) -> None:
        exchange = self.server.exchange
        exchange.record(
            Event.REFRESH_TOKEN_REPLAYED,
            user_id=presented.grant.user_id,
            client_id=presented.grant.client_id,
            grant_id=presented.grant.grant_id,
        )
