"""Changing some members of the metadata of a client that there is."""

from oidc_server.domain.client_metadata.model import ClientMetadata, ClientType
from oidc_server.domain.client_metadata.rules import for_type
from oidc_server.domain.client_metadata.wire import (
    OPERATORS_FIELDS,
    Members,
    fields_of,
    members_of,
)


def edited(client_type: ClientType, metadata: ClientMetadata, changes: Members) -> ClientMetadata:
    """What an operator makes of it: what is not named stays, and null takes a member away.

    Raises `InvalidClientMetadataError`.
    """
    current = members_of(client_type, metadata)
    for follows in ("application_type", "response_types"):
        del current[follows]
    ours = {name: getattr(metadata, name) for name in OPERATORS_FIELDS}
    fields = fields_of({**current, **ours, **changes}, by_operator=True)
    return for_type(client_type, **{"client_name": "", **fields})
