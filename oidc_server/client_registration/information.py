"""The client information response (RFC 7591 §3.2.1) and the error response (§3.2.2)."""

from typing import Any

from oidc_server.domain.client_metadata import InvalidClientMetadataError, members_of
from oidc_server.domain.clients import Client
from oidc_server.oauth2.errors import ClientMetadataError, describable
from oidc_server.web.context import Context
from oidc_server.web.protocol import protocol_error
from oidc_server.web.responses import Response, json

_LONGEST_DESCRIPTION = 300


def client_information(
    ctx: Context,
    client: Client,
    *,
    registration_access_token: str,
    client_secret: str | None,
    status: int = 200,
) -> Response:
    """Everything registered. The secret is told when it is new: we keep no more than its digest."""
    secret: dict[str, Any] = (
        {}
        if client_secret is None
        else {"client_secret": client_secret, "client_secret_expires_at": 0}
    )
    body = {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        **secret,
        "registration_access_token": registration_access_token,
        "registration_client_uri": ctx.url(
            "client_registration.configuration", client_id=client.client_id
        ),
        **members_of(client.type, client.metadata),
    }
    return json(body, status=status)


def metadata_error(ctx: Context, error: InvalidClientMetadataError) -> Response:
    """400 with the code that fits the field."""
    description = describable(str(error), _LONGEST_DESCRIPTION)
    return protocol_error(ctx, ClientMetadataError(error.error, description))
