"""POST /token: the token endpoint (RFC 6749 §3.2)."""

from collections.abc import Callable
from typing import Any

from ..oauth2.authlib import InvalidRequestError, OAuth2Error
from ..oauth2.client_authentication import authenticate
from ..oauth2.server import AuthorizationServer
from ..oauth2.vocabulary import GrantType
from ..web import password_proof
from ..web.context import Context
from ..web.password_proof import PasswordProof
from ..web.protocol import exchange_of, protocol_error
from ..web.rate_limit import TooManyRequestsError
from ..web.responses import Response, json
from . import GRANTS


def prove_for_password_grant(
    ctx: Context,
) -> Callable[[], PasswordProof] | PasswordProof | None:
    """Ahead of the transaction: a client that may use the password grant has its password checked.

    Nothing else of a request is looked at here, and no other grant takes this way.
    """
    form = ctx.form
    username, password = form.get("username"), form.get("password")
    if form.get("grant_type") != GrantType.PASSWORD or username is None or password is None:
        return None
    try:
        client = authenticate(exchange_of(ctx)).client
    except OAuth2Error:
        return None
    if not client.allows_grant(GrantType.PASSWORD):
        return None
    return password_proof.begin(ctx, username, password)


def token(ctx: Context) -> Response:
    """Answer a token request; an expected refusal is returned, so that what it wrote stays."""
    exchange = exchange_of(ctx)
    proof: PasswordProof | None = ctx.proof
    if proof is not None and proof.retry_after is not None:
        raise TooManyRequestsError(proof.retry_after)
    if "grant_type" not in exchange.form:
        return protocol_error(ctx, InvalidRequestError("The parameter grant_type is missing."))

    status, outcome = AuthorizationServer(exchange, GRANTS).create_token_response()

    if isinstance(outcome, OAuth2Error):
        return protocol_error(ctx, outcome)
    if proof is not None:
        password_proof.settle(ctx.db, proof, ctx.now)
    body: dict[str, Any] = outcome
    return json(body, status=status)
