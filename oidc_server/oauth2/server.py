"""Authlib's authorization server, bound to one request's transaction."""

from typing import Any

from oidc_server.oauth2.authlib import (
    AuthorizationServerBase,
    InvalidRequestError,
    OAuth2Error,
)
from oidc_server.oauth2.client_authentication import AuthenticatedClient, authenticate
from oidc_server.oauth2.exchange import Exchange
from oidc_server.oauth2.requests import TokenRequest

GrantTable = list[tuple[type[Any], list[Any]]]
"""Grant classes with their extensions, in the order in which they are asked."""


class AuthorizationServer(AuthorizationServerBase):
    """Picks the grant, runs its skeleton, and speaks RFC 6749 errors.

    Bound per request because Authlib's hooks receive no request of ours; the alternatives are a
    global session or a context variable. The grant table is built once.
    """

    def __init__(self, exchange: Exchange, grants: GrantTable) -> None:
        super().__init__()
        self.exchange = exchange
        self._token_grants = grants

    def create_oauth2_request(self, _request: object) -> TokenRequest:
        return TokenRequest(self.exchange)

    def authenticate_client(
        self, request: TokenRequest, _methods: list[str], _endpoint: str = "token"
    ) -> AuthenticatedClient:
        authenticated = authenticate(self.exchange)
        request.auth_method = authenticated.method
        self._look_at_proof(authenticated)
        return authenticated

    def _look_at_proof(self, authenticated: AuthenticatedClient) -> None:
        """Whatever the grant, tokens are bound to the key that the request proves (RFC 9449 §5)."""
        exchange = self.exchange
        proof = exchange.dpop.verify(exchange.now)
        if proof is not None:
            proof.claim(exchange.db)
            self.exchange = exchange._replace(dpop_jkt=proof.jkt)
        elif authenticated.client.must_prove_key:
            # A parameter is missing (RFC 6749 §5.2), and no proof is invalid (RFC 9449 §5).
            raise InvalidRequestError("The client must send a DPoP proof.")

    def send_signal(self, *_args: object, **_values: object) -> None:
        """Authlib announces what it does; nobody listens."""

    def save_token(self, _token: object, _request: object) -> None:
        """Nothing to do: tokens are stored where they are made."""

    def handle_response(self, status: int, body: Any, _headers: object) -> tuple[int, Any]:
        return status, body

    def handle_error_response(self, _request: object, error: OAuth2Error) -> tuple[int, Any]:
        return error.status_code, error
