"""Passwords known from leaks: in a local file, and at a service that does not learn the password.

The service gets the first five digits of a SHA-1, and returns all digests that begin so
(k-anonymity), padded, so that not even the length tells which was meant.
"""

from ipaddress import ip_network
from pathlib import Path

from oidc_server.observability.logs import get_logger
from oidc_server.outbound.addresses import (
    AddressPolicy,
    OutboundRefusedError,
    OutboundUnavailableError,
)
from oidc_server.outbound.http import HttpClient
from oidc_server.security.passwords import BreachedPasswords, digest
from oidc_server.settings import Settings, SettingsError

DEADLINE_SECONDS = 1.5
"""Somebody is waiting for their account meanwhile."""
_PREFIX = 5
_MAX_BODY = 512 * 1024
_EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))

_log = get_logger(__name__)


class LeakedPasswords:
    """The list and the service that the operator chose, if any.

    Raises `SettingsError` if the list cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        path, url = settings.breached_passwords_list, settings.breached_passwords_url
        self._list = None if path is None else _open(path)
        self._url = None if url is None else url.rstrip("/")
        self._http = HttpClient(
            settings,
            # Nobody but the operator says where it is: it may stand in their own network.
            policy=AddressPolicy(loopback=(url or "").startswith("http:"), allowed=_EVERYWHERE),
            deadline=DEADLINE_SECONDS,
            max_body=_MAX_BODY,
            kind="leaked-passwords",
        )

    @property
    def has_service(self) -> bool:
        """Whether `is_known_elsewhere` would call a service."""
        return self._url is not None

    def is_listed(self, password: str) -> bool:
        """Whether it is in the list; reads a few pages of a file."""
        return self._list is not None and self._list.holds(password)

    def is_known_elsewhere(self, password: str) -> bool:
        """Whether the service knows it; blocks for 1.5 seconds at most.

        False too when the service does not answer: then nobody could have an account, and the list
        is a help, no guard. The log says so.
        """
        if self._url is None:
            return False
        text = digest(password).hex().upper()
        try:
            answer = self._http.get(
                f"{self._url}/{text[:_PREFIX]}",
                accept="text/plain",
                headers={"Add-Padding": "true"},
            )
        except (OutboundRefusedError, OutboundUnavailableError) as error:
            _log.warning("leaked password service failed", reason=str(error))
            return False
        if answer.status != 200:
            _log.warning("leaked password service failed", status=answer.status)
            return False
        return any(_names(line, text[_PREFIX:]) for line in answer.body.splitlines())


def _open(path: Path) -> BreachedPasswords:
    try:
        return BreachedPasswords(path)
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
    except ValueError as error:
        reason = str(error)
    raise SettingsError([f"OIDC_BREACHED_PASSWORDS_LIST: {reason}"])


def _names(line: bytes, suffix: str) -> bool:
    """Whether a line such as `0018A45C4D1DEF81644B54AB7F969B88D65:12` is it; padding counts 0."""
    found, _, count = line.partition(b":")
    return found.strip().upper() == suffix.encode("ascii") and count.strip() != b"0"
