"""POST /device_authorization: a device asks for its codes (RFC 8628 §3.1)."""

from oidc_server.domain import device_codes
from oidc_server.oauth2.authlib import OAuth2Error, UnauthorizedClientError
from oidc_server.oauth2.client_authentication import authenticate
from oidc_server.oauth2.requested import known_resources, scopes_for
from oidc_server.oauth2.vocabulary import GrantType
from oidc_server.web.context import Context
from oidc_server.web.protocol import exchange_of, protocol_error
from oidc_server.web.responses import Response, json


def authorize_device(ctx: Context) -> Response:
    """Two codes, and where the person goes with theirs (RFC 8628 §3.2)."""
    exchange = exchange_of(ctx)
    try:
        client = authenticate(exchange).client
        if not client.allows_grant(GrantType.DEVICE_CODE):
            raise UnauthorizedClientError("The client is not registered for device codes.")
        scopes = scopes_for(client, exchange.form.get("scope"))
        resources = known_resources(ctx.db, exchange.issuer, exchange.resources)
    except OAuth2Error as error:
        return protocol_error(ctx, error)

    lifetime = ctx.runtime.settings.device_code_lifetime
    device_code, user_code = device_codes.mint(
        ctx.db,
        ctx.runtime.vault,
        client_id=client.client_id,
        scopes=scopes,
        resources=frozenset(resources),
        address=ctx.origin.address,
        now=ctx.now,
        lifetime=lifetime,
    )
    return json(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": ctx.url("device.verification"),
            "verification_uri_complete": ctx.url("device.verification", user_code=user_code),
            "expires_in": int(lifetime.total_seconds()),
            "interval": int(device_codes.INTERVAL.total_seconds()),
        }
    )
