"""The address of the client, by which limits and the audit log count."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from oidc_server.web.incoming import Incoming

Network = IPv4Network | IPv6Network
_MOST_HOPS = 16
"""Entries of `X-Forwarded-For` that are looked at: no more proxies stand in a row."""


def client_address(incoming: Incoming, trusted: Sequence[Network]) -> str:
    """The socket's peer, or, behind trusted proxies only, the right-most address they did not add.

    Anything malformed ends the search at the last address that can be believed.
    """
    peer: str = (incoming.scope.get("client") or ("unknown", 0))[0]
    if not trusted or not _is_trusted(peer, trusted):
        return peer
    believed = peer
    hops = ",".join(incoming.headers("x-forwarded-for")).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    for hop in reversed(hops):
        try:
            address = str(ip_address(hop.strip()))
        except ValueError:
            return believed
        believed = address
        if not _is_trusted(address, trusted):
            return believed
    return believed


def counted_as(address: str) -> str:
    """The key of limits for an address: an IPv6 subscriber has a whole /64 to choose from."""
    return _network_of(address) if ":" in address else address


@lru_cache(maxsize=4096)
def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)
