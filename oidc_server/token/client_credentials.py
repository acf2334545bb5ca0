"""The client credentials grant (RFC 6749 §4.4)."""

from typing import Any

from oidc_server.oauth2.authlib import (
    ClientCredentialsGrantBase,
    InvalidScopeError,
    UnauthorizedClientError,
)
from oidc_server.oauth2.errors import describable
from oidc_server.oauth2.requested import known_resources
from oidc_server.oauth2.vocabulary import GrantType
from oidc_server.token import issuing, token_scopes


class ClientCredentialsGrant(ClientCredentialsGrantBase):
    """A confidential client gets a token for itself. Nothing is written."""

    GRANT_TYPE = GrantType.CLIENT_CREDENTIALS.value

    def validate_token_request(self) -> None:
        super().validate_token_request()
        client = self.request.client.client
        if client.is_public:
            raise UnauthorizedClientError("A public client has no credentials to be granted on.")
        exchange = self.server.exchange
        asked = frozenset(exchange.form.get("scope", "").split())
        if beyond := sorted(asked - client.metadata.scopes):
            raise InvalidScopeError(
                f"The client is not registered for the scope {describable(' '.join(beyond))}."
            )
        asked_for = exchange.resources or (exchange.issuer,)
        known = known_resources(exchange.db, exchange.issuer, asked_for)
        self._audiences = tuple(known)
        self._scopes = token_scopes.understood(exchange, asked or client.metadata.scopes, known)

    def generate_token(self, **_values: Any) -> dict[str, Any]:
        return issuing.issue_to_client(
            self.server.exchange, self.request.client.client, self._scopes, self._audiences
        )
