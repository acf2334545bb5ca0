"""Which address a request is counted by, behind proxies that are trusted."""

from ipaddress import ip_network

import pytest

from oidc_server.web.client_address import client_address
from oidc_server.web.incoming import Incoming

TRUSTED = (ip_network("10.0.0.0/8"),)
PROXY = "10.0.0.1"


def address_of(forwarded: str, peer: str = PROXY) -> str:
    headers = [(b"x-forwarded-for", forwarded.encode())]
    return client_address(
        Incoming({"method": "GET", "path": "/", "headers": headers, "client": (peer, 1)}), TRUSTED
    )


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("192.0.2.1, 198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("nobody, 10.0.0.2", "10.0.0.2"),
        ("", PROXY),
        ("198.51.100.7" + ", 10.0.0.2" * 15, "198.51.100.7"),
        ("198.51.100.7" + ", 10.0.0.2" * 5000, "10.0.0.2"),  # whoever wrote that is no proxy
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_counts(forwarded: str, address: str) -> None:
    assert address_of(forwarded) == address


def test_whoever_is_no_trusted_proxy_is_not_believed() -> None:
    assert address_of("198.51.100.7", peer="192.0.2.9") == "192.0.2.9"
