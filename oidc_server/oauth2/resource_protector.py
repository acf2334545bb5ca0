"""Access tokens at our own resources: from a request to a token that holds.

They come as Bearer (RFC 6750), or as DPoP with the proof of their key (RFC 9449 §7).
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from oidc_server.database import Transaction
from oidc_server.domain import token_states
from oidc_server.domain.token_states import TokenState
from oidc_server.oauth2.access_tokens import AccessToken, AccessTokenReader
from oidc_server.oauth2.dpop import Proof, SentProof
from oidc_server.oauth2.errors import (
    AmbiguousTokenError,
    InsufficientScopeError,
    InvalidDpopProofError,
    InvalidRegistrationTokenError,
    InvalidTokenError,
    UnprovenTokenError,
)
from oidc_server.oauth2.vocabulary import TokenType
from oidc_server.observability import current

_HOW = "Send an access token: Authorization: Bearer, or DPoP, a blank, and the token."
_SCHEMES = {token_type.lower(): token_type for token_type in TokenType}


class PresentedToken(NamedTuple):
    """An access token as it was sent: the scheme decides whether it must be bound to a key."""

    value: str
    token_type: TokenType


def presented_token(authorization: Sequence[str], in_body: Sequence[str] = ()) -> PresentedToken:
    """The one token of a request; raises `InvalidTokenError`, `AmbiguousTokenError`.

    Tokens in the query are not read: they end up in logs (RFC 6750 §2). One in the body is a
    bearer token (RFC 9449 §7.1).
    """
    if len(authorization) + len(in_body) > 1:
        raise AmbiguousTokenError("The access token was sent in more than one way.")
    if in_body:
        return PresentedToken(in_body[0], TokenType.BEARER)
    scheme, _, token = (authorization[0] if authorization else "").partition(" ")
    token_type = _SCHEMES.get(scheme.lower())
    if token_type is None or not token.strip():
        raise InvalidTokenError(_HOW, presented=False)
    return PresentedToken(token.strip(), token_type)


def registration_token(authorization: Sequence[str], name: str) -> str:
    """The same for a token of a registration, which has a `name` and no proof.

    Raises `InvalidRegistrationTokenError`, `AmbiguousTokenError`.
    """
    how = f"Send the {name}: Authorization: Bearer, a blank, and the token."
    with suppress(InvalidTokenError):
        presented = presented_token(authorization)
        if presented.token_type == TokenType.BEARER:
            return presented.value
    raise InvalidRegistrationTokenError(how, presented=False)


def protect(
    db: Transaction,
    reader: AccessTokenReader,
    presented: PresentedToken,
    sent_proof: SentProof,
    *,
    audience: str,
    scope: str,
    now: datetime,
    with_person: bool = False,
) -> tuple[AccessToken, TokenState]:
    """A valid token for `audience` that allows all of `scope`, sent by its holder.

    Raises `InvalidTokenError`, `InvalidDpopProofError`, `UseDpopNonceError` or
    `InsufficientScopeError`. With a proof, `db` is written to.
    """
    found = reader.read(presented.value, now)
    if found is None or audience not in found.audiences:
        raise InvalidTokenError("The access token is expired, malformed or not meant for this.")
    proof = _proof_of_holder(found, presented, sent_proof, now)
    state = state_of(db, found, with_person=with_person)
    if not state.holds:
        raise InvalidTokenError("The access token has been revoked.")
    if not found.scopes.issuperset(scope.split()):
        raise InsufficientScopeError(scope)
    if proof is not None:
        proof.claim(db)
    current.note(client_id=found.client_id, user_id=state.user_id)
    return found, state


def _proof_of_holder(
    token: AccessToken, presented: PresentedToken, sent_proof: SentProof, now: datetime
) -> Proof | None:
    """The proof of the key that a token is bound to (RFC 9449 §7); None for a bearer token."""
    if presented.token_type == TokenType.BEARER:
        if token.jkt is not None:
            raise UnprovenTokenError("The access token is bound to a key: send it as DPoP.")
        return None
    if token.jkt is None:
        raise InvalidTokenError("The access token is bound to no key: send it as Bearer.")
    proof = sent_proof.verify(now, presented.value)
    if proof is None:
        raise InvalidDpopProofError("Send a DPoP proof with the access token.", status_code=401)
    if proof.jkt != token.jkt:
        raise InvalidTokenError("The access token is bound to another key.")
    return proof


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
