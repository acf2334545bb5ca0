"""OAuth clients: metadata, secrets, and the immutable snapshot requests work with.

`tables.py` has the rows, `snapshot.py` what a request sees of a client, `reading.py` finds them,
`changing.py` makes and changes them. Their end is in `client_registrations.py`.
"""

from oidc_server.domain.client_metadata import ClientMetadata, ClientType
from oidc_server.domain.clients.changing import NewClient, change, create, rotate_secret
from oidc_server.domain.clients.reading import (
    Listed,
    Wanted,
    at_revision,
    find,
    is_origin,
    list_clients,
    load,
    search,
)
from oidc_server.domain.clients.snapshot import Client, UnknownClientError
from oidc_server.domain.clients.tables import ClientOrigin, ClientRow, ClientSecret

__all__ = [
    "Client",
    "ClientMetadata",
    "ClientOrigin",
    "ClientRow",
    "ClientSecret",
    "ClientType",
    "Listed",
    "NewClient",
    "UnknownClientError",
    "Wanted",
    "at_revision",
    "change",
    "create",
    "find",
    "is_origin",
    "list_clients",
    "load",
    "rotate_secret",
    "search",
]
