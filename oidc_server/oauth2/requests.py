"""From our request to Authlib's."""

from typing import Any

from oidc_server.oauth2.authlib import OAuth2Payload, OAuth2Request
from oidc_server.oauth2.exchange import Exchange


class _BodyOnly(OAuth2Payload):
    """Body parameters and nothing else: what stands in the query is not read (RFC 6749 §3.2)."""

    def __init__(self, form: dict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> dict[str, str]:
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._form.items()}


class TokenRequest(OAuth2Request):
    """A request to the token endpoint. Its address is made from the issuer, never from `Host`."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__("POST", f"{exchange.issuer}/token")
        self._parameters: Any = dict(exchange.form)
        self.payload = _BodyOnly(self._parameters)

    @property
    def form(self) -> dict[str, str]:
        parameters: dict[str, str] = self._parameters
        return parameters
