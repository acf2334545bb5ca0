"""Checks the `Host` of requests. Addresses in responses are never made from it."""

from ipaddress import ip_address

from starlette.types import Scope

from oidc_server.settings import Settings
from oidc_server.web.incoming import BadRequestError

_MAX_REMEMBERED = 100


class MisdirectedError(Exception):
    """The request was meant for another server (RFC 9110 §15.5.20)."""


class Hosts:
    """The issuer's host, those of OIDC_TRUSTED_HOSTS, and this machine, whatever the port."""

    def __init__(self, settings: Settings) -> None:
        self._trusted = {settings.host.strip("[]"), *settings.trusted_hosts}
        self._known: set[bytes] = set()

    def check(self, scope: Scope) -> None:
        """Raise `MisdirectedError`, or `BadRequestError` unless there is one (RFC 9112 §3.2)."""
        found: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"host":
                if found is not None:
                    raise BadRequestError("Host was sent more than once.")
                found = value
        if found in self._known:
            return
        if found is None:
            if scope.get("http_version") == "1.0":
                return
            raise BadRequestError("Host is missing.")
        if not self._is_ours(found.decode("latin-1").lower()):
            raise MisdirectedError
        if len(self._known) < _MAX_REMEMBERED:
            self._known.add(found)

    def _is_ours(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if colon and port.isdigit():
            host = name
        host = host.strip("[]")
        if host in self._trusted or host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False
