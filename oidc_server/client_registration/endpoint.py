"""POST /register: a client makes itself known (RFC 7591 §3, OpenID Connect Registration §3)."""

from oidc_server.client_registration.information import client_information, metadata_error
from oidc_server.client_registration.sector import check_sector
from oidc_server.client_registration.self_description import read, terms_for
from oidc_server.domain import client_registrations, registration_tokens
from oidc_server.domain.audit import Event
from oidc_server.domain.client_metadata import InvalidClientMetadataError
from oidc_server.domain.client_registrations import NewRegistration
from oidc_server.domain.registration_tokens import RegistrationToken
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.errors import InvalidRegistrationTokenError
from oidc_server.oauth2.resource_protector import registration_token
from oidc_server.web.context import Context
from oidc_server.web.errors import NotFoundError
from oidc_server.web.protocol import protocol_error
from oidc_server.web.responses import Response

_NOT_VALID = "The initial access token is not valid."


def register(ctx: Context) -> Response:
    """201 with the client's credentials; without registration there is nothing here."""
    if ctx.runtime.settings.registration == "closed":
        raise NotFoundError
    try:
        voucher = _voucher(ctx)
        made = _register(ctx, voucher)
    except InvalidClientMetadataError as error:
        return metadata_error(ctx, error)
    except OAuth2Error as error:
        ctx.record(Event.REGISTRATION_REFUSED)
        return protocol_error(ctx, error)

    ctx.record(
        Event.CLIENT_REGISTERED,
        client_id=made.client.client_id,
        registration_token=voucher and voucher.id,
    )
    return client_information(
        ctx,
        made.client,
        registration_access_token=made.registration_access_token,
        client_secret=made.client_secret,
        status=201,
    )


def _voucher(ctx: Context) -> RegistrationToken | None:
    """The initial access token; None where none was sent and none is asked for."""
    authorization = ctx.incoming.headers("authorization")
    if not authorization and ctx.runtime.settings.registration == "open":
        return None
    sent = registration_token(authorization, "initial access token")
    token = registration_tokens.find(ctx.db, sent, ctx.now)
    if token is None:
        raise InvalidRegistrationTokenError(_NOT_VALID)
    return token


def _register(ctx: Context, voucher: RegistrationToken | None) -> NewRegistration:
    """The use of the token is claimed last of all, together with the client it is used for."""
    registered_with = voucher.id if voucher else None
    client_type, metadata = read(ctx.incoming.json, terms_for(ctx, registered_with))
    check_sector(ctx, metadata)
    if voucher and not registration_tokens.claim(ctx.db, voucher.id, ctx.now):
        raise InvalidRegistrationTokenError(_NOT_VALID)
    return client_registrations.register(
        ctx.db,
        client_type=client_type,
        metadata=metadata,
        registered_with=registered_with,
        now=ctx.now,
        vault=ctx.runtime.vault,
    )
