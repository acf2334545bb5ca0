"""The client credentials grant (RFC 6749 §4.4)."""

from typing import Any

from oidc_server.domain import resources
from oidc_server.oauth2.authlib import (
    ClientCredentialsGrantBase,
    InvalidScopeError,
    UnauthorizedClientError,
)
from oidc_server.oauth2.errors import describable
from oidc_server.oauth2.vocabulary import GrantType
from oidc_server.token import issuing


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
        self._scopes = asked or client.metadata.scopes
        known = frozenset(
            resource for resource in exchange.resources if resources.find(exchange.db, resource)
        )
        self._audiences = (
            issuing.audiences_for(exchange, known) if exchange.resources else (exchange.issuer,)
        )

    def generate_token(self, **_values: Any) -> dict[str, Any]:
        return issuing.issue_to_client(
            self.server.exchange, self.request.client.client, self._scopes, self._audiences
        )
