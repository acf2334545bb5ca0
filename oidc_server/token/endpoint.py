"""POST /token: the token endpoint (RFC 6749 §3.2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from oidc_server.domain.audit import Event
from oidc_server.oauth2.authlib import InvalidRequestError, OAuth2Error
from oidc_server.oauth2.client_authentication import authenticate
from oidc_server.oauth2.server import AuthorizationServer
from oidc_server.oauth2.vocabulary import GrantType
from oidc_server.observability import metrics
from oidc_server.people import password_proof, second_factors
from oidc_server.people.password_proof import PasswordProof
from oidc_server.token import GRANTS
from oidc_server.web.context import Context
from oidc_server.web.load.rate_limit import TooManyRequestsError
from oidc_server.web.protocol import exchange_of, protocol_error, with_dpop_nonce
from oidc_server.web.responses import Response, json


def asks_for_password_grant(ctx: Context) -> bool:
    """Whether a password has to be checked: every other grant does without that transaction."""
    return ctx.form.get("grant_type") == GrantType.PASSWORD


def prove_for_password_grant(
    ctx: Context,
) -> Callable[[], PasswordProof] | PasswordProof | None:
    """Ahead of the transaction: a client that may use the password grant has its password checked.

    Nothing else of a request is looked at here, and no other grant takes this way.
    """
    username, password = ctx.form.get("username"), ctx.form.get("password")
    if username is None or password is None:
        return None
    try:
        # Only a look ahead: an assertion is used up where the answer is made.
        client = authenticate(exchange_of(ctx), claim=False).client
    except OAuth2Error:
        return None
    if not client.allows_grant(GrantType.PASSWORD):
        return None
    return password_proof.begin(ctx, username, password)


def token(ctx: Context) -> Response:
    """Answer a token request; an expected refusal is returned, so that what it wrote stays."""
    exchange = exchange_of(ctx)
    if "grant_type" not in exchange.form:
        return protocol_error(ctx, InvalidRequestError("The parameter grant_type is missing."))
    if ctx.proof is not None:
        exchange = exchange._replace(password_proof=_settled(ctx, ctx.proof))

    status, outcome = AuthorizationServer(exchange, GRANTS).create_token_response()

    if isinstance(outcome, OAuth2Error):
        return protocol_error(ctx, outcome)
    body: dict[str, Any] = outcome
    ctx.db.afterwards(metrics.tokens_issued(exchange.form["grant_type"]).inc)
    return with_dpop_nonce(ctx, json(body, status=status))


def _settled(ctx: Context, proof: PasswordProof) -> PasswordProof | None:
    """The proof of a password as of this transaction; None if it does not hold.

    It does not hold for somebody who has to prove more: there is no page here to ask for it.
    """
    if proof.retry_after is not None:
        raise TooManyRequestsError(proof.retry_after)
    holds = proof.holds and password_proof.settle(ctx.db, proof, ctx.now)
    if holds and proof.user_id is not None and second_factors.are_asked_of(ctx, proof.user_id):
        proof, holds = replace(proof, holds=False, reason="second_factor"), False
    ctx.record(
        Event.SIGNED_IN if holds else Event.SIGN_IN_FAILED,
        user_id=proof.user_id,
        client_id=ctx.form.get("client_id"),
        reason=proof.reason,
    )
    return proof if holds or proof.reason == "second_factor" else None
