"""GET and POST /userinfo (Core §5.3)."""

from typing import Any

import orjson

from oidc_server.domain import claims, clients
from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import OAuth2Error
from oidc_server.oauth2.errors import InvalidTokenError
from oidc_server.oauth2.vocabulary import Scope
from oidc_server.web.context import Context
from oidc_server.web.protocol import count_holder, protect, protocol_error, with_dpop_nonce
from oidc_server.web.responses import Response, json, jwt


def userinfo(ctx: Context) -> Response:
    """Answer with the claims that the token allows, in the form that its client registered."""
    try:
        access_token, state = protect(
            ctx, scope=Scope.OPENID, in_body=ctx.form.all("access_token"), with_person=True
        )
        if state.sub is None:
            raise InvalidTokenError("The access token stands for no person.")
    except OAuth2Error as error:
        return protocol_error(ctx, error)

    count_holder(ctx, access_token, state)
    person = state.person
    client = clients.at_revision(ctx.db, access_token.client_id, person.client_revision)
    requested = claims.narrow(person.requested_claims, client.metadata.scopes)
    told = claims.userinfo(ctx.db, person, state.sub, access_token.scopes, requested)
    return with_dpop_nonce(ctx, _in_the_form_of(ctx, client, told))


def _in_the_form_of(ctx: Context, client: Client, told: dict[str, Any]) -> Response:
    """JSON, or a JWT that is signed, encrypted, or both (Core §5.3.2)."""
    metadata = client.metadata
    signed_alg = metadata.userinfo_signed_response_alg
    alg, enc = metadata.userinfo_encrypted_response_alg, metadata.userinfo_encrypted_response_enc
    if signed_alg is None and alg is None:
        return json(told)
    if signed_alg is None:
        token = orjson.dumps(told).decode()
    else:
        addressed = {**told, "iss": ctx.runtime.issuer, "aud": client.client_id}
        # Without a type, nothing of ours takes it for an ID Token (RFC 8725 §3.11).
        token = ctx.runtime.keys.signer(signed_alg, ctx.now).sign(addressed, typ=None)
    if alg is not None and enc is not None:
        nested = signed_alg is not None
        token = ctx.runtime.client_keys.encrypt(
            client, token, alg=alg, enc=enc, now=ctx.now, nested=nested
        )
    return jwt(token)
