"""The password grant (RFC 6749 §4.3): off, unless a client is registered for it.

The password was checked ahead of this transaction, by the same rules and limits as the login page.
"""

from typing import Any

from oidc_server.domain import grants, subjects
from oidc_server.domain.grants import Authorization
from oidc_server.oauth2.authlib import InvalidGrantError, InvalidRequestError, PasswordGrantBase
from oidc_server.oauth2.requested import known_resources, scopes_for
from oidc_server.oauth2.vocabulary import PASSWORD_ACR, GrantType
from oidc_server.token import issuing


class PasswordGrant(PasswordGrantBase):
    """A client that was trusted with the password itself gets tokens for its owner."""

    GRANT_TYPE = GrantType.PASSWORD.value

    def validate_token_request(self) -> None:
        for name in ("username", "password"):
            if name not in self.request.form:
                raise InvalidRequestError(f"The parameter {name} is missing.")
        super().validate_token_request()
        exchange = self.server.exchange
        self._scopes = scopes_for(self.request.client.client, exchange.form.get("scope"))
        self._resources = frozenset(
            known_resources(exchange.db, exchange.issuer, exchange.resources)
        )

    def authenticate_user(self, _username: str, _password: str) -> str:
        proof = self.server.exchange.password_proof
        if proof is not None and proof.reason == "second_factor":
            raise InvalidGrantError("This account has a second step: sign in with the browser.")
        if proof is None or not proof.holds or proof.user_id is None:
            raise InvalidGrantError("The user name or the password is wrong.")
        user_id: str = proof.user_id
        return user_id

    def generate_token(self, **_values: Any) -> dict[str, Any]:
        exchange = self.server.exchange
        client = self.request.client.client
        authorization = Authorization(
            user_id=self.request.user,
            pairwise_sub=subjects.pairwise_sub(
                exchange.db, client, self.request.user, exchange.now
            ),
            client_id=client.client_id,
            scopes=self._scopes,
            resources=self._resources,
            auth_time=exchange.now,
            amr=frozenset({"pwd"}),
            acr=PASSWORD_ACR,
        )
        lifetime = exchange.lifetimes.refresh_token_absolute_lifetime
        granted = grants.mint(exchange.db, authorization, exchange.now, lifetime)
        return issuing.issue_first(exchange, client, granted)
