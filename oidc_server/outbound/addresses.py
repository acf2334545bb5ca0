"""Which addresses the server connects to when clients name them: public ones, and allowed networks.

A client names `jwks_uri`, `request_uri` and the like, so without this rule anybody with a client
could make the server send requests into the internal network (SSRF; RFC 9700 §4.11, RFC 7591 §5).
"""

import socket
import threading
import time
from collections.abc import Callable, Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from oidc_server.settings.values import IPNetwork

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Collection[str]]
"""Host and port → every address as text; OSError if there is none."""

MAX_URL_LENGTH = 2048
# What carries an IPv4 address inside, and would be sent on to it: NAT64, 6to4 (and its relays),
# Teredo, IPv4-mapped and IPv4-compatible addresses.
_EMBEDDING = tuple(
    ip_network(network)
    for network in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "192.88.99.0/24",
        "2001::/32",
        "::ffff:0:0/96",
        "::/96",
    )
)
# What is not public, though Python 3.11 says so (RFC 6890 §2.2.2, RFC 9637 §2), or though it is:
# the host that a virtual machine runs on, at Oracle and at Azure.
_SPECIAL = tuple(
    ip_network(network) for network in ("192.0.0.0/24", "3fff::/20", "168.63.129.16/32")
)


class OutboundRefusedError(Exception):
    """The address is not allowed, or the response not acceptable: trying again does not help."""


class OutboundUnavailableError(Exception):
    """No response; trying again may help, after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float = 5.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class AddressPolicy:
    """Which addresses are allowed. Loopback is, if the issuer is on loopback too."""

    def __init__(self, *, loopback: bool, allowed: tuple[IPNetwork, ...] = ()) -> None:
        self._loopback = loopback
        self._allowed = allowed

    def check_url(self, url: str) -> SplitResult:
        """The parsed URL; raises `OutboundRefusedError` if it is not allowed."""
        if len(url) > MAX_URL_LENGTH or not all("!" <= char <= "~" for char in url) or "\\" in url:
            raise OutboundRefusedError("this is no URL")
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            raise OutboundRefusedError("this is no URL") from None
        schemes = ("https", "http") if self._loopback else ("https",)
        if parts.scheme not in schemes or not parts.hostname:
            raise OutboundRefusedError("only https is asked")
        if "@" in parts.netloc or "#" in url:
            raise OutboundRefusedError("a URL with a user name or fragment is not asked")
        return parts

    def check_addresses(self, scheme: str, addresses: Collection[str]) -> tuple[str, ...]:
        """The same addresses; raises `OutboundRefusedError` if one of them is not allowed."""
        for text in addresses:
            try:
                address = ip_address(text)
            except ValueError:
                raise OutboundRefusedError("an address that is none") from None
            if not (self._is_plain_enough(scheme, address) and self._may_connect(address)):
                raise OutboundRefusedError("the host has an address that is not public")
        return tuple(addresses)

    def _is_plain_enough(self, scheme: str, address: Address) -> bool:
        return scheme == "https" or (self._loopback and address.is_loopback)

    def _may_connect(self, address: Address) -> bool:
        if any(address in network for network in self._allowed):
            return True
        if address.is_loopback:
            return self._loopback
        return is_public(address)


def is_public(address: Address) -> bool:
    """Whether an address is a public one, and embeds no IPv4 address."""
    special = (
        address.is_private
        or address.is_reserved
        or address.is_multicast
        or address.is_unspecified
        or address.is_link_local
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
    listed = any(address in network for network in (*_EMBEDDING, *_SPECIAL))
    return address.is_global and not special and not listed


def resolve(host: str, port: int) -> Collection[str]:
    """Every address of a name, in the order of the system resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(info[4][0]) for info in found))


def within(deadline: float, resolver: Resolve, host: str, port: int) -> Collection[str]:
    """Resolve until `deadline` (monotonic), since the system resolver has no such limit.

    Raises `OutboundUnavailableError`. The thread then ends when the resolver itself gives up.
    """
    outcome: list[Any] = []

    def ask() -> None:
        try:
            outcome.append(resolver(host, port))
        except (OSError, UnicodeError) as error:
            outcome.append(error)

    thread = threading.Thread(target=ask, name="resolving", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if not outcome:
        raise OutboundUnavailableError("the name was not resolved in time")
    if isinstance(outcome[0], Exception) or not outcome[0]:
        raise OutboundUnavailableError("the name has no address")
    addresses: Collection[str] = outcome[0]
    return addresses
