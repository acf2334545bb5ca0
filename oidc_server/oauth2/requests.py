"""From our request to Authlib's."""

from typing import Any

from oidc_server.oauth2.authlib import OAuth2Payload, OAuth2Request
from oidc_server.oauth2.exchange import Exchange


class _BodyOnly(OAuth2Payload):
    """Body parameters and nothing else: what stands in the query is not read (RFC 6749 §3.2)."""

    data: Any = None
    """Replaces a property of Authlib that is read several times."""

    def __init__(self, form: dict[str, str]) -> None:
        self.data = form

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self.data.items()}


_UNREAD = vars(OAuth2Request("POST", "https://localhost/token"))


class TokenRequest(OAuth2Request):
    """A request to the token endpoint. Its address is a placeholder, which nothing reads."""

    def __init__(self, exchange: Exchange) -> None:
        # Authlib's own parses the address to refuse http, which was checked before.
        self.__dict__.update(_UNREAD)
        self._parameters: Any = dict(exchange.form)
        self.payload = _BodyOnly(self._parameters)

    @property
    def form(self) -> dict[str, str]:
        parameters: dict[str, str] = self._parameters
        return parameters
