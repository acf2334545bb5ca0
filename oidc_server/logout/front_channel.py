"""Telling clients through the browser that just signed out (Front-Channel Logout §2)."""

from collections.abc import Iterable

from oidc_server.domain.client_metadata import origin_of
from oidc_server.domain.session_clients import SessionClient
from oidc_server.oauth2.redirects import with_query


def frames(told: Iterable[SessionClient], issuer: str) -> list[str]:
    """What each front-channel client of the session has loaded in a frame.

    `iss` and `sid` go to all of them, whether they require it or not: without, anybody's link to
    that address would end their session.
    """
    return [
        with_query(client.frontchannel_logout_uri, [("iss", issuer), ("sid", client.sid)])
        for client in told
        if client.frontchannel_logout_uri is not None
    ]


def origins(addresses: Iterable[str]) -> list[str]:
    """The origins of these addresses, each once."""
    return sorted({origin for uri in addresses if (origin := origin_of(uri)) is not None})
