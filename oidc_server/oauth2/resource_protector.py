"""Bearer tokens at our own resources (RFC 6750): from a request to a token that holds."""

from collections.abc import Sequence
from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import token_states
from oidc_server.domain.token_states import TokenState
from oidc_server.oauth2.access_tokens import AccessToken, AccessTokenReader
from oidc_server.oauth2.authlib import InvalidRequestError
from oidc_server.oauth2.errors import InsufficientScopeError, InvalidTokenError


def bearer_token(authorization: Sequence[str], in_body: str | None) -> str:
    """The one token of a request (RFC 6750 §2); raises `InvalidTokenError`, `InvalidRequestError`.

    Tokens in the query are not read: they end up in logs.
    """
    if len(authorization) > 1 or (authorization and in_body is not None):
        raise InvalidRequestError("The access token was sent in more than one way.")
    if in_body is not None:
        return in_body
    if not authorization:
        raise InvalidTokenError("Send an access token.", presented=False)
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidTokenError("Send an access token as Bearer.", presented=False)
    return token.strip()


def protect(
    db: Transaction,
    reader: AccessTokenReader,
    token: str,
    *,
    audience: str,
    scope: str,
    now: datetime,
    with_person: bool = False,
) -> tuple[AccessToken, TokenState]:
    """A token that holds, is meant for `audience` and allows `scope`.

    Raises `InvalidTokenError` or `InsufficientScopeError`.
    """
    found = reader.read(token, now)
    if found is None or audience not in found.audiences:
        raise InvalidTokenError("The access token is expired, malformed or not meant for this.")
    state = state_of(db, found, with_person=with_person)
    if not state.holds:
        raise InvalidTokenError("The access token has been revoked.")
    if scope not in found.scopes:
        raise InsufficientScopeError(scope)
    return found, state


def state_of(db: Transaction, token: AccessToken, *, with_person: bool = False) -> TokenState:
    """What the database says of a token whose signature is good."""
    return token_states.find(
        db,
        grant_id=token.grant_id,
        client_id=token.client_id,
        jti=token.jti,
        issued_at=token.issued_at,
        with_person=with_person,
    )
