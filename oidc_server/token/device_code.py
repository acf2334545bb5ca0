"""The device code grant (RFC 8628 §3.4). Codes are minted in device/authorization.py."""

from typing import Any

from oidc_server.domain import device_codes, grants
from oidc_server.domain.device_codes import Polled
from oidc_server.oauth2.authlib import (
    AccessDeniedError,
    AuthorizationPendingError,
    DeviceCodeGrantBase,
    ExpiredTokenError,
    InvalidGrantError,
    SlowDownError,
    UnauthorizedClientError,
)
from oidc_server.oauth2.vocabulary import GrantType
from oidc_server.token import issuing


class DeviceCodeGrant(DeviceCodeGrantBase):
    """A device asks whether it was allowed. Its code is spent once, after every check."""

    GRANT_TYPE = GrantType.DEVICE_CODE.value

    def validate_token_request(self) -> None:
        """All checks. A code of another client is as good as none (RFC 6749 §5.2)."""
        authenticated = self.authenticate_token_endpoint_client()
        exchange = self.server.exchange
        client = authenticated.client
        if not authenticated.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client is not registered for device codes.")
        polled = device_codes.poll(exchange.db, exchange.required("device_code"))
        if polled is None or polled.client_id != client.client_id:
            raise InvalidGrantError("The device_code is not one of this client.")
        self._check_state(polled)
        granted = polled.granted
        if granted is None:
            if device_codes.note_poll(exchange.db, polled, exchange.now):
                raise AuthorizationPendingError("Nobody has decided yet.")
            raise SlowDownError("Wait five seconds longer between two requests.")
        if not granted.holds(exchange.now):
            raise InvalidGrantError("What was allowed has ended.")
        issuing.audiences_for(exchange, granted.resources)
        self.request.client = authenticated
        self._granted = granted

    def _check_state(self, polled: Polled) -> None:
        granted = polled.granted
        if granted is not None and granted.redeemed_at is not None:
            raise InvalidGrantError("The device_code was used before.")
        if polled.denied_at is not None:
            raise AccessDeniedError("The person refused.")
        if polled.expires_at <= self.server.exchange.now:
            raise ExpiredTokenError("The device_code has expired.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[Any]]:
        """Mint, then claim the grant: of simultaneous requests one is answered."""
        exchange, granted = self.server.exchange, self._granted
        body = issuing.issue_first(exchange, self.request.client.client, granted)
        if not grants.redeem(exchange.db, granted.grant_id, exchange.now):
            raise InvalidGrantError("The device_code was used before.")
        return 200, body, []
