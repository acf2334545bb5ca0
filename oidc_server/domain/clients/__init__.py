"""OAuth clients: metadata, secrets, and the immutable snapshot requests work with.

`tables.py` has the rows, `snapshot.py` what a request sees of a client, `reading.py` finds them,
`listing.py` lists them, `changing.py` makes and changes them. Their end is in
`client_registrations.py`.
"""

from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.domain.clients.changing import NewClient, change, create, rotate_secret
from oidc_server.domain.clients.listing import Listed, Place, Wanted, page
from oidc_server.domain.clients.reading import (
    LIVE_REVISION,
    at_revision,
    each_client,
    find,
    is_origin,
    load,
    prime,
)
from oidc_server.domain.clients.snapshot import Client, UnknownClientError
from oidc_server.domain.clients.tables import ClientOrigin, ClientRow, ClientSecret

__all__ = [
    "LIVE_REVISION",
    "Client",
    "ClientMetadata",
    "ClientOrigin",
    "ClientRow",
    "ClientSecret",
    "ClientType",
    "Listed",
    "NewClient",
    "Place",
    "UnknownClientError",
    "Wanted",
    "at_revision",
    "change",
    "create",
    "each_client",
    "find",
    "is_origin",
    "load",
    "page",
    "prime",
    "rotate_secret",
]
