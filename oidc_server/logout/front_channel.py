"""Telling clients through the browser that just signed out (Front-Channel Logout §2)."""

from collections.abc import Iterable
from urllib.parse import quote, urlencode, urlsplit

from oidc_server.domain.session_clients import SessionClient


def frames(told: Iterable[SessionClient], issuer: str) -> list[str]:
    """What each front-channel client of the session has loaded in a frame.

    `iss` and `sid` go to all of them, whether they require it or not: without, anybody's link to
    that address would end their session.
    """
    return [
        with_query(client.frontchannel_logout_uri, iss=issuer, sid=client.sid)
        for client in told
        if client.frontchannel_logout_uri is not None
    ]


def origins(addresses: Iterable[str]) -> list[str]:
    """The origins of these addresses, each once."""
    parts = [urlsplit(address) for address in addresses]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts})


def with_query(uri: str, **parameters: str) -> str:
    """The address with these parameters behind those that it has."""
    if not parameters:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters, quote_via=quote)}"
