"""/register/{client_id}: a client reads, replaces or ends its own registration (RFC 7592 §2)."""

from collections.abc import Mapping
from typing import Any

from oidc_server.client_registration.information import client_information, metadata_error
from oidc_server.client_registration.sector import check_sector
from oidc_server.client_registration.self_description import read, terms_for
from oidc_server.domain import client_registrations, clients
from oidc_server.domain.audit import Event
from oidc_server.domain.client_metadata import InvalidClientMetadataError
from oidc_server.domain.client_registrations import Registration
from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.errors import InvalidRegistrationTokenError
from oidc_server.oauth2.resource_protector import registration_token
from oidc_server.web.context import Context
from oidc_server.web.protocol import protocol_error
from oidc_server.web.responses import Response, empty

_NEVER_SENT = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
"""RFC 7592 §2.2."""


def show(ctx: Context) -> Response:
    """The current metadata, without the secret: we do not know it any more."""
    try:
        registration, token = _registration(ctx)
    except OAuth2Error as error:
        return protocol_error(ctx, error)
    return client_information(
        ctx, registration.client, registration_access_token=token, client_secret=None
    )


def replace(ctx: Context) -> Response:
    """Full replacement, judged as a new registration would be: what is left out is the default."""
    try:
        registration, token = _registration(ctx)
        client, secret = _replace(ctx, registration)
    except InvalidClientMetadataError as error:
        return metadata_error(ctx, error)
    except OAuth2Error as error:
        return _refused(ctx, error)

    ctx.record(
        Event.CLIENT_CHANGED,
        client_id=client.client_id,
        before=registration.client.metadata.to_document(),
        after=client.metadata.to_document(),
    )
    return client_information(ctx, client, registration_access_token=token, client_secret=secret)


def delete(ctx: Context) -> Response:
    """204; the client and all that it was given end here."""
    try:
        registration, _ = _registration(ctx)
    except OAuth2Error as error:
        return _refused(ctx, error)

    client_registrations.delete_client(ctx.db, registration.client.client_id, ctx.now)
    ctx.record(Event.CLIENT_DELETED, client_id=registration.client.client_id)
    return empty(204)


def _registration(ctx: Context) -> tuple[Registration, str]:
    """The client and its token. Whatever is wrong, the answer is one (RFC 7592 §2.1)."""
    token = registration_token(ctx.incoming.headers("authorization"), "registration access token")
    found = client_registrations.find(ctx.db, ctx.incoming.path_params["client_id"], token)
    if found is None:
        raise InvalidRegistrationTokenError(
            "The registration access token is not valid for this address."
        )
    return found, token


def _refused(ctx: Context, error: OAuth2Error) -> Response:
    """Whoever wanted to change something leaves a trace; reading changes nothing, and none."""
    client = clients.find(ctx.db, ctx.incoming.path_params["client_id"])
    ctx.record(Event.REGISTRATION_REFUSED, client_id=client.client_id if client else None)
    return protocol_error(ctx, error)


def _replace(ctx: Context, registration: Registration) -> tuple[Client, str | None]:
    client, members = registration.client, ctx.incoming.json
    _check_identity(ctx, client, members)
    # What an operator allowed goes with the old metadata; what an operator demanded stays.
    terms = terms_for(ctx, registration.registered_with, client.metadata.profile)
    client_type, metadata = read(members, terms)
    if client_type != client.type:
        raise InvalidClientMetadataError(
            "application_type, token_endpoint_auth_method, grant_types: they make this another type"
            " of client; register that one anew."
        )
    check_sector(ctx, metadata)
    return client_registrations.replace(
        ctx.db, client, metadata, now=ctx.now, vault=ctx.runtime.vault
    )


def _check_identity(ctx: Context, client: Client, members: Mapping[str, Any]) -> None:
    """RFC 7592 §2.2: who it is about must be said, and nothing that is ours to say."""
    if members.get("client_id") != client.client_id:
        raise InvalidClientMetadataError("client_id: it must be that of this client.")
    for name in _NEVER_SENT:
        if name in members:
            raise InvalidClientMetadataError(f"{name}: it must not be sent (RFC 7592 §2.2).")
    secret = members.get("client_secret")
    if secret is not None and not (
        isinstance(secret, str) and client.knows_secret(secret, ctx.now)
    ):
        raise InvalidClientMetadataError("client_secret: it is not that of this client.")
