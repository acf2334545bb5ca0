"""POST /par: a client hands its authorization request in before it sends the browser (RFC 9126)."""

from dataclasses import replace

from oidc_server.authorization.request import read_pushed
from oidc_server.domain import authorization_requests
from oidc_server.domain.authorization_requests import AuthorizationRequest
from oidc_server.domain.clients import Client
from oidc_server.oauth2.authlib import InvalidRequestError, OAuth2Error
from oidc_server.oauth2.client_authentication import authenticate
from oidc_server.oauth2.errors import InvalidDpopProofError, describable
from oidc_server.oauth2.exchange import Exchange
from oidc_server.people.untrusted_request import UntrustedRequestError
from oidc_server.web.context import Context
from oidc_server.web.load.rate_limit import PASSAGES
from oidc_server.web.protocol import exchange_of, protocol_error, with_dpop_nonce
from oidc_server.web.responses import Response, json


def push(ctx: Context) -> Response:
    """Pushed authorization request endpoint (RFC 9126 §2); a refusal is returned."""
    exchange = exchange_of(ctx)
    try:
        client = authenticate(exchange).client
        _count(ctx, client)
        request = _bound_to_key(exchange, read_pushed(ctx, client, ctx.form))
    except OAuth2Error as error:
        return protocol_error(ctx, error)
    except UntrustedRequestError as error:
        return protocol_error(ctx, InvalidRequestError(describable(error.problem, 200)))

    lifetime = ctx.runtime.settings.pushed_request_lifetime
    request_uri = authorization_requests.push(ctx.db, request, lifetime=lifetime)

    answer = {"request_uri": request_uri, "expires_in": int(lifetime.total_seconds())}
    return with_dpop_nonce(ctx, json(answer, status=201))


def _bound_to_key(exchange: Exchange, request: AuthorizationRequest) -> AuthorizationRequest:
    """A request that came with a DPoP proof: the code will be for that key (RFC 9449 §10.1)."""
    proof = exchange.dpop.verify(exchange.now)
    if proof is None:
        return request
    if request.dpop_jkt not in (None, proof.jkt):
        raise InvalidDpopProofError("The dpop_jkt is not the key of the DPoP proof.")
    proof.claim(exchange.db)
    return replace(request, dpop_jkt=proof.jkt)


def _count(ctx: Context, client: Client) -> None:
    """Each time we store something, for anybody: as a public client, or as one of their own."""
    if client.is_public or client.self_registered:
        ctx.count(PASSAGES, ctx.counted_as)
