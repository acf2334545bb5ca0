"""The authorization code grant (RFC 6749 §4.1.3). Codes are minted in authorization/response.py."""

from typing import Any

from oidc_server.domain import grants
from oidc_server.domain.audit import Event
from oidc_server.domain.grants import Granted
from oidc_server.oauth2.authlib import AuthorizationCodeGrantBase, InvalidGrantError
from oidc_server.oauth2.client_authentication import AuthenticatedClient
from oidc_server.oauth2.vocabulary import GrantType
from oidc_server.token import issuing

_USED = "The code was used before."


class _Code:
    """A grant as Authlib asks for the code behind it."""

    def __init__(self, granted: Granted) -> None:
        self.granted = granted
        self.code_challenge = granted.code_challenge

    def get_redirect_uri(self) -> str | None:
        return self.granted.redirect_uri

    def get_scope(self) -> str:
        return " ".join(sorted(self.granted.scopes))


class AuthorizationCodeGrant(AuthorizationCodeGrantBase):
    """Redeem a code. It is read first and claimed only after every check that can refuse.

    One that is bound to a key (RFC 9449 §10) is good with that key only; another spends nothing.
    """

    GRANT_TYPE = GrantType.AUTHORIZATION_CODE.value
    _read: Granted | None = None
    _found: Granted | None = None

    def validate_token_request(self) -> None:
        """All checks. The right client with a wrong redirect URI or verifier burns the code.

        What the code stands for is read first, since that tells of the client too.
        """
        if (code := self.request.form.get("code")) is not None:
            self._read = grants.find_by_code(self.server.exchange.db, code)
        try:
            super().validate_token_request()
        except InvalidGrantError:
            self._burn()
            raise
        bound_to = self.request.authorization_code.granted.dpop_jkt
        if bound_to is not None and bound_to != self.server.exchange.dpop_jkt:
            raise InvalidGrantError("The code is bound to a key that was not proved.")
        issuing.audiences_for(
            self.server.exchange, self.request.authorization_code.granted.resources
        )

    def query_authorization_code(self, _code: str, client: AuthenticatedClient) -> _Code:
        """What was read, if it is good; to whom it was not given, a code is as unknown as any."""
        exchange, granted = self.server.exchange, self._read
        if granted is None or granted.client_id != client.client.client_id:
            raise InvalidGrantError("The code is unknown, or was given to another client.")
        if granted.redeemed_at is not None:
            self._replayed(granted)
            raise InvalidGrantError(_USED)
        if granted.code_expires_at is None or granted.code_expires_at <= exchange.now:
            raise InvalidGrantError("The code has expired.")
        self._found = granted
        # OAuth 2.1 does without it, so some libraries send none; that it was wrong would mislead.
        if "redirect_uri" not in exchange.form:
            raise InvalidGrantError("The parameter redirect_uri is missing.")
        return _Code(granted)

    def authenticate_user(self, code: _Code) -> str | None:
        """The user's id, unless the person or the grant has ended since the code was made."""
        return code.granted.user_id if code.granted.holds(self.server.exchange.now) else None

    def generate_token(self, **_values: Any) -> dict[str, Any]:
        """Mint, then claim the code: of simultaneous requests one is answered (RFC 6749 §10.5)."""
        exchange = self.server.exchange
        granted = self.request.authorization_code.granted
        body = issuing.issue_first(exchange, self.request.client.client, granted)
        if not grants.redeem(exchange.db, granted.grant_id, exchange.now):
            self._replayed(granted)
            raise InvalidGrantError(_USED)
        return body

    def delete_authorization_code(self, _code: _Code) -> None:
        """Nothing to do: a spent code is kept, so that a replay is seen."""

    def _burn(self) -> None:
        if self._found is not None:
            exchange = self.server.exchange
            grants.burn(exchange.db, self._found.grant_id, exchange.now)

    def _replayed(self, granted: Granted) -> None:
        """A code came twice: what it bought dies (RFC 6749 §4.1.2)."""
        exchange = self.server.exchange
        if grants.revoke(exchange.db, granted.grant_id, exchange.now):
            exchange.record(
                Event.CODE_REPLAYED,
                user_id=granted.user_id,
                client_id=granted.client_id,
                grant_id=granted.grant_id,
            )
